"""The verbs of `sayact`, one file each: a dataclass of options, and `run`."""
