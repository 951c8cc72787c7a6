"""Seeded lists of starts that ask for more than the robot's demonstrations showed."""
