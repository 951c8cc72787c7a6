"""Our policy behind openpi's own server, as its makers published it; `sayact bench serve` runs it.

    python -m sayact.serve.beside CLONE CHECKPOINT --port 8000

CLONE is a clone of github.com/Physical-Intelligence/openpi, which is not published as a package.
Its server has one policy and no sessions: the histories of all robots run together there, so it is
measured for its speed alone.
"""

import argparse
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from sayact.policies.loading import load_policy
from sayact.policies.many import ManyRobots, many_robots
from sayact.schema.errors import SayactError
from sayact.serve.messages import action_message, observation_of

SERVER = Path("src/openpi/serving/websocket_policy_server.py")
CLIENT = Path("packages/openpi-client/src")


class Served:
    """What openpi's server asks of a policy: one method."""

    def __init__(self, robots: ManyRobots) -> None:
        self._robots = robots
        self._memory = robots.begin()

    def infer(self, seen: Mapping[str, Any]) -> dict[str, Any]:
        (answer,) = self._robots.act_many([observation_of(seen)], [self._memory])
        if isinstance(answer, SayactError):
            raise answer
        return action_message(answer)


def published_server(clone: Path) -> ModuleType:
    """The module as it lies in the clone; nothing of it is changed, or copied here.

    Raises SayactError where it is not there.
    """
    for part in (SERVER, CLIENT):
        if not (clone / part).exists():
            raise SayactError(
                f"{clone} is no clone of openpi: {part} is missing; "
                "git clone https://github.com/Physical-Intelligence/openpi"
            )
    # Behind everything of ours: it brings the package openpi_client and nothing else.
    sys.path.append(str(clone / CLIENT))
    spec = importlib.util.spec_from_file_location("openpi_server", clone / SERVER)
    assert spec is not None, "a Python file has a loader"
    assert spec.loader is not None, "a Python file has a loader"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clone", type=Path)
    parser.add_argument("checkpoint")
    parser.add_argument("--port", type=int, default=8000)
    asked = parser.parse_args(arguments)
    server = published_server(asked.clone)
    served = Served(many_robots(load_policy(asked.checkpoint)))
    server.WebsocketPolicyServer(served, host="127.0.0.1", port=asked.port).serve_forever()


if __name__ == "__main__":
    main()
