"""Made-up runs with frames: noise that turns into circles, (1 − s) noise + s Σ circles."""

import numpy as np
import xarray as xr


def framed(
    p: int = 113,
    keys: tuple[int, ...] = (14, 35, 41, 42, 52),
    *,
    frames: np.ndarray | None = None,
    seeds: int = 1,
    t_grok: float = 9_000.0,
    width: int = 64,
    seed: int = 0,
) -> xr.Dataset:
    """Runs that memorise at about step 150 and grok at about `t_grok` (NaN: never)."""
    random = np.random.default_rng(seed)
    frames = np.arange(0.0, 20_001.0, 500.0) if frames is None else frames
    step = np.concatenate([np.arange(0, 500, 10), np.arange(500, frames[-1] + 1, 50)]).astype(float)
    runs = [_run(random, p, keys, frames, step, t_grok, width) for _ in range(seeds)]
    return xr.concat(runs, "run").assign_coords(init_seed=("run", np.arange(seeds)))


def _run(random, p, keys, frames, step, t_grok, width) -> xr.Dataset:
    late = 1e9 if np.isnan(t_grok) else t_grok * np.exp(random.normal(0, 0.1))
    mem = 150 * np.exp(random.normal(0, 0.1))

    def rise(at: np.ndarray, onset: float, sharp: float) -> np.ndarray:
        return 1 / (1 + (onset / np.maximum(at, 1e-3)) ** sharp)

    a = np.arange(p)
    planes = np.linalg.qr(random.normal(size=(width, width)))[0]
    circles = np.zeros((p, width))
    for i, k in enumerate(keys):
        angle = 2 * np.pi * k * a / p
        wave = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        circles += (0.45 - 0.04 * i) * wave @ planes[2 * i : 2 * i + 2]
    noise = random.normal(0, 1 / np.sqrt(width), (p, width)) * 0.9
    s = rise(frames, 0.75 * late, 3.0)[:, None, None]
    # Stored as float32 that was rounded to half precision, like the archive's frames.
    W_E = ((1 - s) * noise + s * circles).astype(np.float16).astype(np.float32)
    power = energies(W_E)
    train, test = rise(step, 0.6 * mem, 8), rise(step, 0.85 * late, 12)
    memory = 0.3 * rise(frames, 1.1 * late, 8.0)
    at_frames = rise(frames, 0.85 * late, 12)
    return xr.Dataset(
        {
            "embedding_power": (("frame", "frequency"), power),
            "key": ("frequency", np.isin(np.arange(p // 2 + 1), keys)),
            "frame_W_E": (("frame", "element", "dimension"), W_E),
            "train_accuracy": ("step", 0.01 + 0.99 * train),
            "test_accuracy": ("step", 0.01 + 0.99 * test),
            "frame_train_loss": ("frame", 4.7 * (1 - rise(frames, 0.6 * mem, 4)) + 3e-7),
            "frame_test_loss": ("frame", 4.7 + 12 * rise(frames, mem, 2) * (1 - at_frames)
                                - 4.7 * at_frames * (1 - 1e-6)),
            "restricted_loss": ("frame", 4.7 * (1 - rise(frames, 0.7 * late, 5)) + 2e-7),
            "excluded_loss": ("frame", 4.7 * (1 - rise(frames, 0.6 * mem, 4)) + 1e-5 + memory * 20),
            "t_mem": ((), round(mem)),
            "t_grok": ((), np.nan if np.isnan(t_grok) else round(late)),
            "budget": ((), frames[-1]),
        },
        {"frame": frames, "step": step, "frequency": np.arange(p // 2 + 1)},
    )  # fmt: skip


def energies(W_E: np.ndarray) -> np.ndarray:
    """Energy in each frequency 0..p//2: its cosine and sine of norm 1, squared and summed."""
    p = W_E.shape[1]
    a, found = np.arange(p), []
    for k in range(p // 2 + 1):
        waves = [np.cos(2 * np.pi * k * a / p), np.sin(2 * np.pi * k * a / p)]
        unit = [w / np.linalg.norm(w) for w in waves if np.linalg.norm(w) > 1e-6]
        found.append(sum(((w @ W_E.astype(float)) ** 2).sum(-1) for w in unit))
    return np.stack(found, axis=-1)
