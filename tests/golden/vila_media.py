"""Synthetic pictures and clips shared by the cases. Writes data/media/ and its index.json."""

import os

import cv2
import numpy as np
from PIL import Image

from common import MEDIA, sha256, fnv1a64, write_json


def gradient(w, h):
    y, x = np.mgrid[0:h, 0:w]
    return np.stack([255 * x // max(w - 1, 1), 255 * y // max(h - 1, 1), (x * 3 + y * 5) % 256], -1).astype(np.uint8)


def shapes(w, h):
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    r = np.hypot(x - 0.35 * w, y - 0.4 * h)
    a = np.zeros((h, w, 3))
    a[..., 0] = 128 + 100 * np.sin(x / 9.0)
    a[..., 1] = 128 + 100 * np.cos(y / 7.0 + x / 31.0)
    a[..., 2] = np.where(r < 0.25 * min(w, h), 230, 40)
    a[h // 2 : h // 2 + h // 5, w // 2 : w // 2 + w // 3] = (250, 20, 60)
    return np.clip(a, 0, 255).astype(np.uint8)


def frame(k, w=64, h=48):
    a = gradient(w, h)
    a[..., 2] = 20 * k
    x = 4 + 5 * k
    a[10:26, x : x + 12] = (255 - 20 * k, 30, 15 * k + 40)
    return a


def main():
    os.makedirs(MEDIA, exist_ok=True)
    rng = np.random.default_rng(7)
    pictures = {
        "gradient_57x41.png": Image.fromarray(gradient(57, 41)),
        "noise_64x48.png": Image.fromarray(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)),
        "checker_300x300.png": Image.fromarray(
            np.repeat(((np.indices((300, 300)).sum(0) % 2) * 255).astype(np.uint8)[..., None], 3, -1)
        ),
        "shapes_168x112.png": Image.fromarray(shapes(168, 112)),
        "shapes_120x180.png": Image.fromarray(shapes(120, 180)),
        "grey_90x120.png": Image.fromarray(shapes(90, 120)[..., 1], mode="L"),
        "rgba_130x87.png": Image.fromarray(
            np.concatenate([shapes(130, 87), gradient(130, 87)[..., :1]], -1), mode="RGBA"
        ),
        "palette_48x48.png": Image.fromarray(shapes(48, 48)).quantize(32),
        "one_1x1.png": Image.fromarray(np.array([[[200, 30, 90]]], np.uint8)),
        "wide_500x30.png": Image.fromarray(shapes(500, 30)),
        "tall_30x200.png": Image.fromarray(gradient(30, 200)),
    }
    index = {"pictures": {}, "clips": {}}
    for name, im in pictures.items():
        path = os.path.join(MEDIA, name)
        im.save(path, optimize=True)
        rgb = np.asarray(Image.open(path).convert("RGB"))
        index["pictures"][name] = {
            "mode": Image.open(path).mode, "width": rgb.shape[1], "height": rgb.shape[0],
            "rgb_sha256": sha256(rgb.tobytes()), "rgb_fnv1a64": fnv1a64(rgb.tobytes()),
        }

    # A clip as numbered pictures, and the same frames as an MPEG-4 file.
    n, folder = 10, os.path.join(MEDIA, "clip_frames")
    os.makedirs(folder, exist_ok=True)
    for k in range(n):
        Image.fromarray(frame(k)).save(os.path.join(folder, f"{k:04d}.png"), optimize=True)
    video = os.path.join(MEDIA, "clip.mp4")
    writer = cv2.VideoWriter(video, cv2.VideoWriter_fourcc(*"mp4v"), 5.0, (64, 48))
    for k in range(n):
        writer.write(cv2.cvtColor(frame(k), cv2.COLOR_RGB2BGR))
    writer.release()
    for name, source in (("clip_frames", None), ("clip.mp4", video)):
        if source is None:
            frames = [np.asarray(Image.open(os.path.join(folder, f)).convert("RGB")) for f in sorted(os.listdir(folder))]
            fps = None
        else:
            cap, frames = cv2.VideoCapture(source), []
            fps = cap.get(cv2.CAP_PROP_FPS)
            while True:
                ok, f = cap.read()
                if not ok:
                    break
                frames.append(cv2.cvtColor(f, cv2.COLOR_BGR2RGB))
        index["clips"][name] = {
            "width": 64, "height": 48, "frames": len(frames), "fps": fps,
            "rgb_sha256": [sha256(f.tobytes()) for f in frames],
            "rgb_fnv1a64": [fnv1a64(f.tobytes()) for f in frames],
        }
    write_json(os.path.join(MEDIA, "index.json"), index)


if __name__ == "__main__":
    main()
