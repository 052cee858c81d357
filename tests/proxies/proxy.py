# SPDX-License-Identifier: MIT
"""The recipes of packaging/proxies, started for a test: only ports, names of files and the certificate differ."""

from __future__ import annotations

import http.client
import http.server
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from livelogd_daemon import SOURCE_ROOT, Daemon, wait_until

RECIPES = SOURCE_ROOT / "packaging/proxies"


class Front(NamedTuple):
    """Where the daemon is reached from outside."""

    host: str
    port: int
    certificate: Path | None  # None: without TLS

    @property
    def origin(self) -> str:
        return f"{'https' if self.certificate else 'http'}://{self.host}:{self.port}"

    def connect(self, timeout: float = 20.0) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        plain = socket.create_connection(("127.0.0.1", self.port), timeout)
        if self.certificate is None:
            connection.sock = plain
        else:
            context = ssl.create_default_context(cafile=str(self.certificate))
            connection.sock = context.wrap_socket(plain, server_hostname=self.host)
        return connection


def program(name: str) -> str:
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"there is no {name}: packaging/install-deps.sh proxies installs it")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def replaced(recipe: str, changes: dict[str, str]) -> str:
    """A recipe with changes, each of which must find its place."""
    text = (RECIPES / recipe).read_text()
    for old, new in changes.items():
        assert old in text, f"{recipe} has no {old!r}"
        text = text.replace(old, new)
    return text


def make_certificate(folder: Path, host: str) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


@contextmanager
def running(command: list[str], folder: Path, port: int, environment: dict[str, str] | None = None) -> Iterator[None]:
    """A server in the foreground, from when its port answers."""
    log = folder / "said.txt"
    with open(log, "wb") as said:
        server = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env={**os.environ, **(environment or {})}
        )

    def answers() -> bool:
        assert server.poll() is None, f"{command[0]} ended: {log.read_text()}"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    try:
        wait_until(answers, 20, f"{command[0]} answers")
        yield
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def llm_app() -> Iterator[int]:
    """Another program behind the same proxy; gives its port."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"the app at {self.path}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def nginx(recipe: str, changes: dict[str, str], front: Front, folder: Path) -> Iterator[Front]:
    (folder / "recipe.conf").write_text(replaced(recipe, changes))
    own = [f"{what}_temp_path {folder}/{what};" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log stderr; {user} events {{}}\n"
        f"http {{ access_log off; {' '.join(own)} include {folder}/recipe.conf; }}\n"
    )
    command = [program("nginx"), "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    with running(command, folder, front.port):
        yield front


@contextmanager
def caddy(recipe: str, changes: dict[str, str], front: Front, folder: Path) -> Iterator[Front]:
    options = "{\n\tadmin off\n\tauto_https off\n}\n"
    (folder / "Caddyfile").write_text(options + replaced(recipe, changes))
    command = [program("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with running(command, folder, front.port, {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}):
        yield front


@contextmanager
def nginx_tls(daemon: Daemon, app: int, folder: Path) -> Iterator[Front]:
    certificate, key = make_certificate(folder, "logs.example")
    front = Front("logs.example", free_port(), certificate)
    changes = {
        "listen 443 ssl http2": f"listen 127.0.0.1:{front.port} ssl http2",
        "/etc/ssl/certs/logs.example.pem": str(certificate),
        "/etc/ssl/private/logs.example.key": str(key),
        "127.0.0.1:5000;": f"127.0.0.1:{daemon.port};",
    }
    with nginx("nginx-tls.conf", changes, front, folder):
        yield front


@contextmanager
def caddy_tls(daemon: Daemon, app: int, folder: Path) -> Iterator[Front]:
    certificate, key = make_certificate(folder, "logs.example")
    front = Front("logs.example", free_port(), certificate)
    changes = {
        "logs.example {": f"https://logs.example:{front.port} {{\n\ttls {certificate} {key}",
        "reverse_proxy 127.0.0.1:5000": f"reverse_proxy 127.0.0.1:{daemon.port}",
    }
    with caddy("Caddyfile-tls", changes, front, folder):
        yield front


@contextmanager
def nginx_beside_app(daemon: Daemon, app: int, folder: Path) -> Iterator[Front]:
    front = Front("app.example", free_port(), None)
    changes = {
        "listen 80;": f"listen 127.0.0.1:{front.port};",
        "127.0.0.1:5000;": f"127.0.0.1:{daemon.port};",
        "127.0.0.1:5001;": f"127.0.0.1:{app};",
    }
    with nginx("nginx-beside-app.conf", changes, front, folder):
        yield front


@contextmanager
def caddy_beside_app(daemon: Daemon, app: int, folder: Path) -> Iterator[Front]:
    front = Front("app.example", free_port(), None)
    changes = {
        "http://app.example {": f"http://app.example:{front.port} {{",
        "127.0.0.1:5000\n": f"127.0.0.1:{daemon.port}\n",
        "127.0.0.1:5001\n": f"127.0.0.1:{app}\n",
    }
    with caddy("Caddyfile-beside-app", changes, front, folder):
        yield front


@contextmanager
def ssh_tunnel(daemon: Daemon, app: int, folder: Path) -> Iterator[Front]:
    """`ssh -L PORT:localhost:5000 HOST`, with an sshd of the test's own."""
    sshd, ssh, keygen = program("sshd"), program("ssh"), program("ssh-keygen")
    user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()
    made_folder = None
    if os.getuid() == 0 and not Path("/run/sshd").exists():
        # Where sshd, started by root, keeps its unprivileged half; its service would make it.
        made_folder = Path("/run/sshd")
        made_folder.mkdir(mode=0o755)
    try:
        for key in ("host", "user"):
            subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True)
        port, front = free_port(), Front("localhost", free_port(), None)
        (folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nPidFile none\nAuthorizedKeysFile {folder}/user.pub\n"
            "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nAllowTcpForwarding local\n"
        )
        client = [
            ssh, "-N", "-L", f"127.0.0.1:{front.port}:localhost:{daemon.port}", "-p", str(port), "-i", str(folder / "user"),
            "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={folder}/known",
            "-o", "ExitOnForwardFailure=yes", f"{user}@127.0.0.1",
        ]  # fmt: skip
        tunnel_folder = folder / "tunnel"
        tunnel_folder.mkdir()
        with running([sshd, "-D", "-e", "-f", str(folder / "sshd_config")], folder, port):
            with running(client, tunnel_folder, front.port):
                yield front
    finally:
        if made_folder:
            made_folder.rmdir()


FRONTS = {
    "nginx-tls": nginx_tls,
    "caddy-tls": caddy_tls,
    "nginx-beside-app": nginx_beside_app,
    "caddy-beside-app": caddy_beside_app,
    "ssh": ssh_tunnel,
}
