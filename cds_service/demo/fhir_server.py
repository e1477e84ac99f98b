"""The FHIR R4 server of the demo and of the integration tests: `sekmet-fhir`, empty, on the loopback address.

It runs as a process of its own with a temporary data directory. It lets pages of every origin read and write, as the
CDS Hooks Sandbox in a browser needs; nothing outside this machine can reach it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import requests

from cds_service.demo.child import LOOPBACK, Child, check_port_is_free, running, wait_until_ready
from cds_service.demo.codes import Json
from cds_service.demo.errors import DemoError

START_SECONDS = 60.0


@contextmanager
def running_fhir_server(port: int, *, option: str = "--fhir-port") -> Iterator[tuple[str, Child]]:
    """Start the server and yield its base URL and process; stop it at the end of the block.

    Raises: DemoError where it is not installed, its port is busy (naming `option`), or it does not start.
    """
    if find_spec("sekmet") is None:
        raise DemoError(
            'The demo needs its FHIR server: install the extra "demo", e.g. pip install "leukopenia-cds[demo]".'
        )
    check_port_is_free(port, option)
    base = f"http://{LOOPBACK}:{port}/fhir"
    with tempfile.TemporaryDirectory(prefix="leukopenia-cds-fhir-") as folder:
        directory = Path(folder)
        config = directory / "sekmet.json"
        config.write_text(json.dumps(_configuration(base, port, directory)), "utf-8")
        env = os.environ | {"SEKMET_CONFIG": str(config)}
        with running("The FHIR server", _command(port), log=directory / "log", env=env, cwd=directory) as child:
            wait_until_ready(child, f"{base}/metadata", limit_seconds=START_SECONDS)
            yield base, child


def load_resources(base_url: str, resources: Sequence[Json]) -> None:
    """Store resources under their own ids, all or none. Raises: DemoError."""
    entries = [
        {"resource": resource, "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}}
        for resource in resources
    ]
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.post(
                base_url, json={"resourceType": "Bundle", "type": "transaction", "entry": entries}, timeout=60
            )
        except requests.RequestException as error:
            raise DemoError(f"The FHIR server at {base_url} did not take the demo patients.") from error
    if answer.status_code != 200:
        raise DemoError(f"The FHIR server at {base_url} refused the demo patients: HTTP {answer.status_code}.")


def _command(port: int) -> list[str]:
    """uvicorn with sekmet's application: sekmet's own command would log every URL, and URLs name patients."""
    server = ["-m", "uvicorn", "sekmet.main:app_factory", "--factory", "--no-access-log", "--log-level", "warning"]
    return [sys.executable, *server, "--host", LOOPBACK, "--port", str(port)]


def _configuration(base: str, port: int, directory: Path) -> Json:
    """Its settings file (YAML, of which JSON is a part). The simulator would invent results for active orders."""
    return {
        "base_url": base,
        "host": LOOPBACK,
        "port": port,
        "data_dir": str(directory / "data"),
        "facility_name": "leukopenia-cds demo",
        "log_inbound": False,
        "simulator": {"enabled": False},
    }
