"""The vla-evaluation-harness' own connection; runs where vla-eval is installed, and no Sayact.

python vla_eval_robot.py PORT   prints what it met, as JSON
"""

# pyright: reportMissingImports=false

import asyncio
import json
import sys
from typing import Any

import numpy as np
from vla_eval.connection import Connection
from vla_eval.specs import DimSpec

WRONG = ({"task_description": "push"}, {"images": {"front": np.zeros((5, 5, 3), np.uint8)}})


async def meet(port: int) -> dict[str, Any]:
    image = np.random.default_rng(0).integers(0, 256, (180, 320, 3), dtype=np.uint8)
    seen = {"images": {"front": image}, "task_description": "push the red moon to the blue cube"}
    episodes, errors = [], []
    async with Connection(f"ws://127.0.0.1:{port}/vla-eval") as connection:
        for _ in range(2):
            await connection.start_episode({"task": {"name": "push", "suite": "toy"}})
            acted = [await connection.act(seen) for _ in range(3)]
            await connection.end_episode({"metrics": {"success": False}, "steps": 3})
            episodes.append([action["tokens"].tolist() for action in acted])
        for wrong in WRONG:
            try:
                await connection.act(wrong)
            except RuntimeError as error:
                errors.append(str(error))
        last = await connection.act(seen)
        info = connection.server_info
    return {
        "episodes": episodes,
        "errors": errors,
        "actions": last["actions"].tolist(),
        "dims": DimSpec.from_dict(info["action_spec"]["actions"]).dims,
        "protocol": info["protocol_version"],
    }


sys.stdout.write(json.dumps(asyncio.run(meet(int(sys.argv[1])))))
