# pyright: reportAttributeAccessIssue=false
# (mujoco is a compiled module without type stubs)
"""Meshes for the eye: bevelled prisms and turned shapes, with the normals we choose."""

import mujoco
import numpy as np
from jaxtyping import Float64, Int32

SEEN, UNSEEN = 0, 4  # geom groups; MuJoCo draws groups 0 to 2
UNTOUCHABLE = {"contype": 0, "conaffinity": 0}

Mesh = tuple[Float64[np.ndarray, "N 3"], Float64[np.ndarray, "N 3"], Int32[np.ndarray, "M 3"]]


def add_bevelled_prism(
    spec: mujoco.MjSpec,
    name: str,
    plan: Float64[np.ndarray, "V 2"],
    *,
    height: float,
    bevel: float,
    about_origin: bool = False,
) -> None:
    """Adds a bevelled prism standing on z = 0 as the mesh `name`."""
    mesh = bevelled_prism(plan, height=height, bevel=bevel, about_origin=about_origin)
    _add(spec, name, mesh)


def add_lathe(
    spec: mujoco.MjSpec, name: str, rings: tuple[tuple[float, float, float], ...]
) -> None:
    """Adds a turned shape around the z axis as the mesh `name`."""
    _add(spec, name, lathe(rings))


def _add(spec: mujoco.MjSpec, name: str, mesh: Mesh) -> None:
    vertices, normals, faces = mesh
    spec.add_mesh(
        name=name,
        uservert=vertices.ravel(),
        usernormal=normals.ravel(),
        userface=faces.ravel(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )


def bevelled_prism(
    plan: Float64[np.ndarray, "V 2"], *, height: float, bevel: float, about_origin: bool = False
) -> Mesh:
    """Prism over a plan outline with its top edge cut at 45 degrees.

    Returns vertices [N, 3], normals [N, 3] and triangles [M, 3]; every face has its own corners, so
    that each is lit evenly. The plan must be star-shaped about the mean of its corners (the four
    shapes are), or about the origin where that is said.
    """
    inner = inset(plan, bevel)
    foot = np.column_stack([plan, np.zeros(len(plan))])
    shoulder = np.column_stack([plan, np.full(len(plan), height - bevel)])
    rim = np.column_stack([inner, np.full(len(plan), height)])
    polygons = []
    for lower, upper in ((foot, shoulder), (shoulder, rim)):
        for i in range(len(plan)):
            j = (i + 1) % len(plan)
            polygons.append((lower[i], lower[j], upper[j], upper[i]))
    top_middle = np.array([*(np.zeros(2) if about_origin else inner.mean(axis=0)), height])
    bottom_middle = np.array([*(np.zeros(2) if about_origin else plan.mean(axis=0)), 0.0])
    for i in range(len(plan)):
        j = (i + 1) % len(plan)
        polygons.append((top_middle, rim[i], rim[j]))
        polygons.append((bottom_middle, foot[j], foot[i]))
    return _flat_shaded(polygons)


def _flat_shaded(polygons: list[tuple[np.ndarray, ...]]) -> Mesh:
    """Triangles with corners of their own and the face's normal on each."""
    vertices, normals, faces = [], [], []
    for corners in polygons:
        normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        first = len(vertices)
        vertices += corners
        normals += [normal / np.linalg.norm(normal)] * len(corners)
        faces += [(first, first + k, first + k + 1) for k in range(1, len(corners) - 1)]
    return np.array(vertices), np.array(normals), np.array(faces, dtype=np.int32)


def lathe(rings: tuple[tuple[float, float, float], ...]) -> Mesh:
    """Surface of revolution from rings of (radius, height, normal's upward part), bottom first.

    MuJoCo draws a face flat where a normal is more than 37 degrees off it.
    """
    sides = 24
    angle = 2 * np.pi * np.arange(sides) / sides
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    vertices = np.concatenate(
        [np.column_stack([r * around, np.full(sides, z)]) for r, z, _ in rings]
    )
    normals = np.concatenate(
        [np.column_stack([np.sqrt(1 - up**2) * around, np.full(sides, up)]) for _, _, up in rings]
    )
    faces = []
    for ring in range(len(rings) - 1):
        for i in range(sides):
            a, b = ring * sides + i, ring * sides + (i + 1) % sides
            faces += [(a, b, b + sides), (a, b + sides, a + sides)]
    return vertices, normals, np.array(faces, dtype=np.int32)


def inset(plan: Float64[np.ndarray, "V 2"], distance: float) -> Float64[np.ndarray, "V 2"]:
    """Moves every edge of a counter-clockwise outline inwards by `distance` metres."""
    along = np.roll(plan, -1, axis=0) - plan
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    inward = np.stack([-along[:, 1], along[:, 0]], axis=1)
    before = np.roll(inward, 1, axis=0)
    return plan + distance * (inward + before) / (1 + (inward * before).sum(axis=1, keepdims=True))
