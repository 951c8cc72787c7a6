"""The policy of a server as a policy: `load_policy("ws://localhost:8000")`. Needs no torch."""

import os

from sayact.policies.policy import Policy
from sayact.schema import Action, ActionSpace, Observation
from sayact.serve.client import PolicyClient, connect
from sayact.serve.link import AUTHORITY_VARIABLE, KEY_VARIABLE


class RemotePolicy(Policy):
    """Pictures travel as they are, so that the answers are those of the policy itself."""

    def __init__(self, client: PolicyClient) -> None:
        self.client = client
        self._seed: int | None = None

    @property
    def action_space(self) -> ActionSpace:
        return self.client.action_space

    def seed(self, seed: int) -> None:
        """What the next episode draws there, if it draws."""
        self._seed = seed

    def reset(self) -> None:
        seed, self._seed = self._seed, None
        if seed is None:
            self.client.reset()
        else:
            self.client.episode_start(seed=seed)

    def act(self, observation: Observation) -> Action:
        return self.client.act(observation)

    def close(self) -> None:
        """Leave the server."""
        self.client.close()


def load_remote(url: str) -> RemotePolicy:
    """Connect to ws://HOST:PORT or wss://HOST:PORT, with the key of the environment if any."""
    key, authority = os.environ.get(KEY_VARIABLE), os.environ.get(AUTHORITY_VARIABLE)
    return RemotePolicy(connect(url, key=key or None, ca_file=authority or None))
