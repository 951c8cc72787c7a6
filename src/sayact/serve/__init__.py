"""A policy behind a socket, and a client for the robot that needs no torch."""
