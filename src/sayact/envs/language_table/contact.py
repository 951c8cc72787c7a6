"""How blocks, ground and effector touch: every number that was fitted to the original."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Contact:
    """What the fit to 36 reference pushes chose (docs/world.md); the nominal values in brackets.

    A block pushed in Bullet rocks on its bottom face and touches with one corner at a time; ours
    stands on fixed feet. So these are the values that make ours *move* alike.
    """

    timestep: float = 1 / 240  # seconds, the original's
    ground_friction: float = 0.3418  # [0.5]
    effector_friction: float = 0.5007  # [0.5]
    block_friction: float = 0.25  # [0.25], between blocks
    # Where the effector touches blocks, against its measured position, metres. [The original's
    # hangs tilted: its tip was measured at (-0.6, 2.1) mm in these pushes, (-1.0, 0.8) on average.]
    effector_offset: tuple[float, float] = (0.00054, 0.00432)
    effector_margin: float = 0.0007  # metres beyond the radius; [Bullet's margins, ~0.002]
    # How far out the feet of a cube, moon, star and pentagon stand: share of the way from its
    # origin to its corners [1].
    feet: tuple[float, float, float, float] = (0.9543, 1.0036, 0.6375, 0.5568)
    recovery: float = 0.0288  # share of a penetration undone in one timestep [0.2]
    stopping: float = 0.4603  # share of the approach speed taken in one timestep [1]
    impedance: float = 0.7035  # MuJoCo's solimp: 1 is rigid
    friction_ratio: float = 1.3884  # MuJoCo's impratio: stiffness of friction against normal
    inertia_scale: float = 1.3021  # about the vertical [1]
    drag: float = 0.2539  # 1/s, of sliding [0.04]
    spin_drag: float = 2.0129  # 1/s, of turning [0.04]

    @property
    def solref(self) -> tuple[float, float]:
        """MuJoCo's direct form: minus stiffness in 1/s2, minus damping in 1/s."""
        return -self.recovery / self.timestep**2, -self.stopping / self.timestep

    @property
    def solimp(self) -> tuple[float, float, float, float, float]:
        """Constant impedance, whatever the depth."""
        return self.impedance, self.impedance, 0.001, 0.5, 2.0


CONTACT = Contact()
