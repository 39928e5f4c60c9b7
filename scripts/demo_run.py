"""The demo's course: what it does, in which order, and how it ends whatever happens."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from scripts.demo_api import NAME, VOLUME_GB, Choice, Cloud, Server
from scripts.demo_guest import Guest
from scripts.demo_host import Deployment
from scripts.demo_life import Life
from scripts.demo_region import RegionProcess
from scripts.demo_show import DemoError, Progress

ACTIVE_SECONDS = 120.0
SSH_SECONDS = 180.0
GONE_SECONDS = 90.0
QUESTIONS = ("uname -a", "hostname", "lsblk", "df -h /")


@dataclass(slots=True)
class Findings:
    """What the summary tells."""

    host: str = ""
    ready: float = 0.0
    active: float = 0.0
    ssh: float = 0.0
    guest: str = ""
    volume: str = ""
    restart: str = ""
    resize: str = ""
    left: str = ""
    logs: tuple[str, ...] = ()
    stopped: float = 0.0


class Demo:
    """Runs once. `folder` is its own; `clean` may be called at any point."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        self._folder = folder
        self._progress = progress
        self._key = folder / "key"
        self._region = RegionProcess(folder / "state")
        self._deployment: Deployment | None = None
        self._cloud: Cloud | None = None
        self._asked: float | None = None
        self._findings = Findings()

    def run(self) -> None:
        """Go through all of it; raises DemoError where a step fails or a proof does not hold."""
        deployment = self._start()
        cloud, choice, rule_id = self._prepare()
        server = self._create(cloud, choice)
        self._see(deployment)
        guest = self._talk(deployment, choice, server)
        volume_id = self._live(Life(cloud, server, guest, self._progress), choice)
        self._delete(cloud, server, volume_id)
        self._prove(deployment)
        with self._progress.step("delete the security-group rule and the key pair"):
            cloud.delete_rule(rule_id)
            cloud.delete_key_pair()
        self._finish(deployment)
        self._sum_up()

    # -- the region --------------------------------------------------------------------------

    def _start(self) -> Deployment:
        with self._progress.step("start `hanok up` in a state directory of its own") as step:
            self._region.start()
            self._region.wait_ready()
            self._findings.ready = step.seconds
            deployment = self._deployment = Deployment.of(self._region.state)
            if deployment is None:
                raise DemoError("The region is ready and has no deployment id.")
        with self._progress.step("this machine joins as a host") as step:
            step.found = self._findings.host = self._region.wait_host()
            deployment.note_files()
        return deployment

    def _finish(self, deployment: Deployment) -> None:
        with self._progress.step("stop `hanok up` by SIGTERM") as step:
            self._findings.stopped = self._region.stop()
            step.found = f"it ended after {self._findings.stopped:.2f} s"
        with self._progress.step("remove its directory"):
            shutil.rmtree(self._folder)
            left = deployment.look()
            if left or self._folder.exists():
                raise DemoError(f"There is still something left: {left.names()}.")

    # -- through the API ---------------------------------------------------------------------

    def _prepare(self) -> tuple[Cloud, Choice, str]:
        cloud = Cloud(self._region.state / "openrc", self._region.check)
        with self._progress.step("token") as step:
            step.found = cloud.log_in()
        self._cloud = cloud
        with self._progress.step("flavor, image, zone, subnet") as step:
            choice = cloud.choose()
            flavor, image = choice.flavor["name"], choice.image["name"]
            step.found = f"{flavor}, {image}, {choice.zone}, {choice.subnet['cidr']}"
        with self._progress.step("key pair, made by the region") as step:
            step.found = cloud.add_key_pair(self._key)
        with self._progress.step("security-group rule for SSH"):
            rule_id = cloud.add_ssh_rule(choice)
        return cloud, choice, rule_id

    def _create(self, cloud: Cloud, choice: Choice) -> Server:
        self._asked = asked = time.monotonic()
        with self._progress.step("ask for a server") as step:
            server_id = cloud.create_server(choice)
            step.found = f"{server_id}, root volume of {VOLUME_GB} GB"
        with self._progress.step("the server is ACTIVE") as step:
            server = cloud.wait_status(server_id, "ACTIVE", ACTIVE_SECONDS)
            self._findings.active = time.monotonic() - asked
            step.found = server.address
        return server

    def _live(self, life: Life, choice: Choice) -> str:
        """Do with the running server what its owner may; return the attached volume's id."""
        found = self._findings
        volume_id, found.volume = life.attach(choice)
        found.restart = life.stop_and_start()
        found.resize = life.resize(choice)
        return volume_id

    def _delete(self, cloud: Cloud, server: Server, volume_id: str) -> None:
        with self._progress.step("delete the server, wait for 404") as step:
            cloud.call("DELETE", "compute", f"/servers/{server.id}")
            cloud.wait_no_servers(GONE_SECONDS)
            if cloud.exists("compute", f"/servers/{server.id}"):
                raise DemoError(f"The server {server.id} is not listed but still there.")
            for root_id in server.volume_ids:
                if cloud.exists("volumev2", f"/volumes/{root_id}"):
                    raise DemoError(f"The root volume {root_id} did not go with the server.")
            step.found = "its root volume, too"
        with self._progress.step("delete the attached volume, which the server left behind"):
            cloud.wait_volume(volume_id, "available", GONE_SECONDS)
            cloud.delete_volume(volume_id, GONE_SECONDS)

    # -- the machine and the guest -----------------------------------------------------------

    def _see(self, deployment: Deployment) -> None:
        """Look at the machine while the guest runs: a look that sees nothing proves nothing."""
        with self._progress.step("seen on this machine by virsh, ip, nft, /proc, files") as step:
            found = deployment.look(besides=self._region.pid)
            step.found = found.counts()
            for what in ("domains", "taps", "bridges", "namespaces", "processes", "files"):
                if not getattr(found, what):
                    raise DemoError(f"The server runs, but there are no {what} of it to be seen.")

    def _talk(self, deployment: Deployment, choice: Choice, server: Server) -> Guest:
        login = f"{choice.image.get('login_username', 'root')}@{server.address}"
        guest = Guest(deployment.namespace(), self._key, login, self._region.check)
        with self._progress.step("SSH with the private key that the API returned") as step:
            guest.wait("true", SSH_SECONDS)
            self._findings.ssh = time.monotonic() - (self._asked or step.began)
            step.found = f"{self._findings.ssh:.1f} s after the server was asked for"
        with self._progress.step("the guest has grown its root file system"):
            enough = VOLUME_GB * 1024 * 1024 * 9 // 10  # in KiB, file system overhead taken off
            guest.wait(f"test $(df -k / | awk 'END {{ print $2 }}') -ge {enough}", SSH_SECONDS)
        said = {question: guest.ask(question) for question in QUESTIONS}
        if said["hostname"] != [NAME]:
            raise DemoError(f"The guest's host name is {said['hostname']}, not {NAME}.")
        if not re.search(rf"\bvda\b.*\b{VOLUME_GB}G\b", "\n".join(said["lsblk"])):
            raise DemoError(f"lsblk shows no disk vda of {VOLUME_GB}G: {said['lsblk']}")
        self._findings.guest = said["uname -a"][0]
        lines = [line for question in QUESTIONS for line in (f"$ {question}", *said[question])]
        self._progress.text("The guest says:", lines)
        return guest

    def _prove(self, deployment: Deployment) -> None:
        with self._progress.step("nothing is left, by virsh, ip, nft, /proc, files") as step:
            left = deployment.look(besides=self._region.pid)
            step.found = self._findings.left = left.counts()
            if left:
                raise DemoError(f"Something is left of the server: {left.names()}.")
            self._findings.logs = tuple(deployment.logs())

    def _sum_up(self) -> None:
        found = self._findings
        rows = [
            ("host", found.host),
            ("hanok up", f"ready in {found.ready:.1f} s, ended in {found.stopped:.2f} s"),
            ("server", f"ACTIVE after {found.active:.1f} s, SSH after {found.ssh:.1f} s"),
            ("guest", found.guest),
            ("volume", found.volume),
            ("stop and start", found.restart),
            ("resize", found.resize),
            ("nothing left", found.left),
        ]
        rows += [("libvirt's own log", path) for path in found.logs]
        self._progress.summary(rows)

    # -- the end after a failure -------------------------------------------------------------

    def clean(self) -> str:
        """Remove everything, by the API if it answers, else without it; return what is left."""
        try:
            if self._region.pid is not None:
                if self._cloud is not None and self._cloud.delete_servers():
                    self._cloud.wait_no_servers(GONE_SECONDS)
                self._region.stop()
        except (DemoError, OSError) as error:
            self._progress.say(f"The API could not remove it ({error}); so it goes by hand.")
        self._region.kill()
        try:
            left = self._remove()
        except DemoError as error:
            left = str(error)
        shutil.rmtree(self._folder, ignore_errors=True)
        return left or (str(self._folder) if self._folder.exists() else "")

    def _remove(self) -> str:
        deployment = self._deployment or Deployment.of(self._region.state)
        if deployment is None:
            return ""
        # No server was asked for: so libvirt, which may not even run, has nothing of ours.
        libvirt = self._asked is not None
        if deployment.look(libvirt=libvirt):
            deployment.remove(libvirt=libvirt)
        return deployment.look(libvirt=libvirt).names()
