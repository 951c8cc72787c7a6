"""A robot, or a world that stands for one, driven at a fixed rate: limits, watchdog, recording."""
