"""A robot that knows openpi's client alone; runs where openpi-client is installed, and no Sayact.

python openpi_robot.py PORT [KEY]   prints what it met, as JSON
"""

# pyright: reportMissingImports=false

import json
import sys

import numpy as np
from openpi_client.action_chunk_broker import ActionChunkBroker
from openpi_client.websocket_client_policy import WebsocketClientPolicy

port, key = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
image = np.random.default_rng(0).integers(0, 256, (180, 320, 3), dtype=np.uint8)
seen = {"observation/image": image, "prompt": "push the red moon to the blue cube"}

policy = WebsocketClientPolicy("127.0.0.1", port, api_key=key)
metadata = policy.get_server_metadata()
answers = [policy.infer(seen) for _ in range(3)]
broker = ActionChunkBroker(policy, action_horizon=metadata["action_horizon"])
brokered = broker.infer(seen)
broker.reset()

refusals = []
for wrong in (
    {"prompt": "push"},
    {**seen, "observation/image": image.astype(np.float32)},
    {**seen, "observation/image": image[:50]},
    {**seen, "prompt": 3},
):
    try:
        policy.infer(wrong)
    except RuntimeError as error:
        refusals.append(str(error))
after = policy.infer(seen)

report = {
    "numpy": np.__version__,
    "metadata": metadata,
    "actions": [answer["actions"].tolist() for answer in answers],
    "dtype": str(answers[0]["actions"].dtype),
    "tokens": [answer["tokens"].tolist() for answer in answers],
    "timings": [answer["server_timing"] for answer in answers],
    "policy_timing": answers[0]["policy_timing"],
    "brokered": brokered["actions"].tolist(),
    "refusals": refusals,
    "after": after["actions"].tolist(),
}
sys.stdout.write(json.dumps(report))
