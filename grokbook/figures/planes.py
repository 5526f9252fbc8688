r"""The plane of a frequency: two directions of an embedding, and the residues in it.

An embedding that holds $(\cos \omega_k a, \sin \omega_k a)$ with $\omega_k = 2\pi k/p$ shows the
residues there as a regular polygon; joined in the order of the angle $k a \bmod p$ it is one round.
"""

import numpy as np
from jaxtyping import Float, Int


def rings(n: int, frequency: int) -> Int[np.ndarray, "rings points"]:
    r"""Return the residues modulo n as closed rounds in the order of the angle $2\pi k a/n$.

    There is one round if k and n have no common factor, and gcd(k, n) rounds otherwise, because
    that many residues stand at each angle.

    >>> rings(7, 3)
    array([[0, 5, 3, 1, 6, 4, 2]])
    >>> rings(6, 2)
    array([[0, 1, 2],
           [3, 4, 5]])
    """
    residues = np.arange(n).reshape(np.gcd(n, frequency), -1)
    return np.take_along_axis(residues, np.argsort(frequency * residues % n, axis=1), axis=1)


def plane(embedding: Float[np.ndarray, "p d"], frequency: int) -> Float[np.ndarray, "d 2"]:
    r"""Return two orthonormal directions that span the plane of a frequency, cosine first.

    Of all orthonormal pairs it is the one closest to $\sum_a \cos(\omega_k a) W_a$ and
    $\sum_a \sin(\omega_k a) W_a$: neither direction is favoured, as Gram–Schmidt would.

    Raises ValueError where the frequency has no plane, or the embedding nothing in it.
    """
    p = len(embedding)
    if not 1 <= frequency < p / 2:
        raise ValueError(
            f"frequency {frequency} has no plane; give 1 to {(p - 1) // 2} for {p} residues."
        )
    angle = 2 * np.pi / p * (frequency * np.arange(p) % p)
    return plane_of(embedding, angle, f"frequency {frequency}")


def plane_of(
    embedding: Float[np.ndarray, "n d"], angle: Float[np.ndarray, "n"], name: str
) -> Float[np.ndarray, "d 2"]:
    r"""Return two orthonormal directions in which element a stands at `angle[a]`, as `plane` does.

    The angles are those of a character $\chi(a) = e^{i \cdot \mathrm{angle}_a}$, of any abelian
    group. Raises ValueError, with the name, where the embedding has nothing in such a plane.
    """
    waves = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    U, sizes, V = np.linalg.svd(embedding.astype(float).T @ waves, full_matrices=False)
    if sizes[1] <= 1e-9 * np.linalg.norm(embedding) * np.sqrt(len(embedding)):
        raise ValueError(f"the embedding has no plane of {name}: no power in it.")
    return U @ V


def flat(
    embedding: Float[np.ndarray, "p d"], directions: Float[np.ndarray, "d 2"]
) -> Float[np.ndarray, "p 2"]:
    """Return the residues' places in a plane, the mean of all residues at the origin."""
    places = embedding.astype(float) @ directions
    return places - places.mean(axis=0)
