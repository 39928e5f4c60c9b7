"""A small client of the public API, for the operator's commands."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urljoin

from hanok.config import load

ANSWER_SECONDS = 30
UPLOAD_SECONDS = 600


class ClientError(Exception):
    """The command cannot be carried out; the text is one sentence for the operator.

    `status` is the HTTP status of a refusal, None where there was no answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Login:
    """Who calls, and where identity stands (`auth_url` without a version)."""

    auth_url: str
    username: str
    password: str
    project: Mapping[str, Any]
    domain: str
    region: str


def find_login(state: Path | None, region: str | None) -> Login:
    """Find out as whom to call; raises ClientError.

    A `state` directory that is named wins, then OS_AUTH_URL and its kin, then the default state
    directory; of a state directory the administrator is taken.
    """
    if state is None and os.environ.get("OS_AUTH_URL"):
        return _from_environment(os.environ, region)
    return _from_state(load({"state": state}).state, region)


def _from_environment(values: Mapping[str, str], region: str | None) -> Login:
    project_id = values.get("OS_PROJECT_ID") or values.get("OS_TENANT_ID")
    project_name = values.get("OS_PROJECT_NAME") or values.get("OS_TENANT_NAME")
    domain = values.get("OS_USER_DOMAIN_NAME", "Default")
    missing = [name for name in ("OS_USERNAME", "OS_PASSWORD") if not values.get(name)]
    if not (project_id or project_name):
        missing.append("OS_PROJECT_ID")
    if missing:
        raise ClientError(f"OS_AUTH_URL is set, but {' and '.join(missing)} is not.")
    named = {"name": project_name, "domain": {"name": domain}}
    return Login(
        auth_url=re.sub(r"/v(2\.0|3)/?$", "", values["OS_AUTH_URL"]).rstrip("/"),
        username=values["OS_USERNAME"],
        password=values["OS_PASSWORD"],
        project={"id": project_id} if project_id else named,
        domain=domain,
        region=region or values.get("OS_REGION_NAME", ""),
    )


def _from_state(state: Path, region: str | None) -> Login:
    """Take the administrator that `hanok up` noted, and the address that it wrote into openrc."""
    try:
        admin = json.loads((state / "credentials.json").read_text())["admin"]
        openrc = (state / "openrc").read_text()
    except PermissionError as error:
        raise ClientError(f"{error.filename} cannot be read: run this as its owner.") from error
    except OSError as error:
        raise ClientError(
            f"{state} holds no credentials: run `hanok up` first, name its directory by --state, "
            "or set OS_AUTH_URL and its kin."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ClientError(f"{state}/credentials.json is damaged.") from error
    values = read_openrc(openrc)
    return Login(
        auth_url=values["OS_AUTH_URL"].removesuffix("/v2.0"),
        username=admin["username"],
        password=admin["password"],
        project={"id": admin["project_id"]},
        domain="Default",
        region=region or values["OS_REGION_NAME"],
    )


def read_openrc(text: str) -> dict[str, str]:
    """Read the variables that an openrc file exports."""
    words = shlex.split(text, comments=True)
    return dict(word.split("=", 1) for word in words if "=" in word)


class Client:
    """Logs in once, finds services in the catalog and sends JSON. Raises ClientError."""

    def __init__(self, login: Login) -> None:
        self._login = login
        context = ssl.create_default_context(cafile=os.environ.get("OS_CACERT") or None)
        # A proxy has no business between an operator and his own region.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        self._token = ""
        self._catalog: list[dict[str, Any]] = []
        self._log_in()

    def _log_in(self) -> None:
        login = self._login
        user = {
            "name": login.username,
            "password": login.password,
            "domain": {"name": login.domain},
        }
        auth = {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": login.project},
        }
        try:
            answer, headers = self._send("POST", f"{login.auth_url}/v3/auth/tokens", {"auth": auth})
        except ClientError as error:
            if error.status == 401:
                raise ClientError(
                    f"{login.auth_url} refused the password of {login.username}: set a new one "
                    "with `hanok openrc --reset`.",
                    401,
                ) from error
            raise
        self._token = headers["X-Subject-Token"]
        self._catalog = answer["token"]["catalog"]
        self.project_id: str = answer["token"]["project"]["id"]

    def identity(self, method: str, path: str, body: Any = None) -> Any:
        """Call identity: `path` follows `/v3`."""
        return self._send(method, f"{self._login.auth_url}/v3{path}", body)[0]

    def compute(self, method: str, path: str, body: Any = None) -> Any:
        """Call compute: `path` follows `/v2/{project}`."""
        return self._send(method, self._endpoint("compute") + path, body)[0]

    def image(self, method: str, path: str, body: Any = None) -> Any:
        """Call the image service: `path` follows `/v2`."""
        return self._send(method, f"{self._endpoint('image')}/v2{path}", body)[0]

    def images(self) -> Iterator[Mapping[str, Any]]:
        """Yield all images, page after page."""
        path: str | None = "/v2/images"
        while path:
            page = self._send("GET", urljoin(self._endpoint("image") + "/", path.lstrip("/")))[0]
            yield from page["images"]
            path = page.get("next")

    def upload(self, image_id: str, file: BinaryIO, size: int) -> None:
        """Send an image's bytes; `size` is their number."""
        url = f"{self._endpoint('image')}/v2/images/{image_id}/file"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        request = urllib.request.Request(url, data=file, headers=headers, method="PUT")  # noqa: S310
        self._open(request, UPLOAD_SECONDS)

    def _endpoint(self, kind: str) -> str:
        """Return a service's address in the region; raises ClientError."""
        regions = set()
        for service in self._catalog:
            for endpoint in service["endpoints"] if service["type"] == kind else ():
                regions.add(endpoint["region"])
                wanted = self._login.region or endpoint["region"]
                if endpoint["interface"] == "public" and endpoint["region"] == wanted:
                    return str(endpoint["url"])
        known = ", ".join(sorted(regions)) or "none"
        raise ClientError(f"There is no region {self._login.region}; the regions are: {known}.")

    def _send(self, method: str, url: str, body: Any = None) -> tuple[Any, Mapping[str, str]]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310
        content, answered = self._open(request, ANSWER_SECONDS)
        return (json.loads(content) if content else None), answered

    def _open(
        self, request: urllib.request.Request, seconds: float
    ) -> tuple[bytes, Mapping[str, str]]:
        if self._token:
            request.add_header("X-Auth-Token", self._token)
        try:
            with self._opener.open(request, timeout=seconds) as answer:
                return answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                message = sentence_of(error.read(), error.code)
            if error.code == 403:
                message += f" (asked as {self._login.username})"
            raise ClientError(message, error.code) from error
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLCertVerificationError):
                raise ClientError(
                    f"The certificate of {self._login.auth_url} is not trusted "
                    f"({reason.verify_message}): name the file of its authority by OS_CACERT."
                ) from error
            raise ClientError(
                f"Nothing answers at {self._login.auth_url} ({reason}): is `hanok up` running?"
            ) from error


def sentence_of(body: bytes, status: int) -> str:
    """Take the message out of any service's error: JSON with a `message` in it, or HTML."""
    text = body.decode(errors="replace")
    try:
        parts = json.loads(text).values()
        return str(next(part["message"] for part in parts if "message" in part))
    except (ValueError, AttributeError, TypeError, StopIteration):
        plain = re.sub(r"<title>.*?</title>|<h1>.*?</h1>", " ", text, flags=re.DOTALL)
        plain = html.unescape(" ".join(re.sub(r"<[^>]+>", " ", plain).split()))
        return plain or f"The server answered {status}."
