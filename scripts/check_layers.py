#!/usr/bin/env python3
"""Holds the includes against the allowed arrows between folders. Exit 8 and one line per offence if any is found."""
import pathlib
import re
import sys

# A folder may include itself, base, include/galago/status.h, and whatever is reachable from here.
ARROWS = {
    "base": [],
    "tensor": [],
    "kernels": ["tensor"],
    "ops": ["kernels"],
    "nn": ["ops"],
    "spec": [],
    "io": ["tensor"],
    "text": ["spec"],
    "media": ["spec", "ops"],
    "models": ["nn", "spec", "io"],
    "engine": ["models", "text", "media", "include"],
    "quant": ["engine"],
    "train": ["spec", "io", "text", "media"],
}
FREE = {"base"}
ANYTHING = {"tests", "fuzz", "bench"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def reachable(folder):
    seen, todo = set(), [folder]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += ARROWS.get(name, [])
    return seen | FREE


def place_of(path):
    parts = path.split("/")
    if parts[0] == "src":
        return parts[1]
    return "include" if parts[0] == "galago" else parts[0]


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    offences = []
    for file in sorted(root.glob("**/*")):
        if file.suffix not in {".h", ".cc"} or "build" in file.relative_to(root).parts:
            continue
        name = str(file.relative_to(root))
        place = name.split("/")[1] if name.startswith("src/") else name.split("/")[0]
        if place in ANYTHING or place == "include":
            allowed = None if place in ANYTHING else {"include"}
        elif place in {"apps", "eval", "python"}:
            allowed = {"include", "base", place} | ({"eval"} if place == "apps" else set())
        elif place in ARROWS:
            allowed = reachable(place)
        else:
            offences.append(f"{name}: folder {place} is not in the list of layers")
            continue
        if allowed is None:
            continue
        for target in INCLUDE.findall(file.read_text(errors="replace")):
            if target == "galago/status.h":
                continue
            to = place_of(target)
            if to not in allowed and "/" in target and not target.startswith(("absl/", "nlohmann/", "libav", "libsw")):
                offences.append(f"{name}: {place} may not include {target}")
    print("\n".join(offences) if offences else "layers hold")
    return 8 if offences else 0


sys.exit(main())
