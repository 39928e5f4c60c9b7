from bench.figures import Findings
from bench.scene import Scene
def run(scene: Scene) -> Findings:
    raise NotImplementedError
