"""Closed-loop measurement: rollouts, evaluations with intervals, films, reports; and collecting."""
