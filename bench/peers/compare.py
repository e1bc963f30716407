#!/usr/bin/env python3
"""Runs galago and its peers alternately on models of equal dimensions and prints ratios of medians.

  bench/peers/compare.py --shape qwen2.5-1.5b --llama-cpp DIR --ik-llama-cpp DIR
  bench/peers/compare.py --tower siglip-448 --llama-cpp DIR --torch PYTHON

DIR holds the peer's own programs (llama-bench; llama-mtmd-cli for towers); without the flag they are looked for in the
variables LLAMA_CPP_BIN and IK_LLAMA_CPP_BIN. --llama-cpp-python PYTHON takes llama.cpp from that interpreter's package
llama-cpp-python instead, --torch PYTHON runs towers in that interpreter's PyTorch. A peer that is not there is left out,
and said so. Models with random weights are written to --work once (random_gguf.py) and used again.

One round runs every program once for every task; --rounds rounds follow one another, the order turning. So whatever
else the machine does meets all programs alike, and a ratio means more than the numbers it is made of. The best of a
peer's flags and types counts for the peer. On a machine that others use, --threads 1 --by cpu compares processor time,
which they hardly touch; with more threads it would count the waiting of threads that spin.

Exit status: 0 done, 1 no peer or no galago, 2 usage.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import struct
import subprocess
import sys
import time
import zlib

HERE = pathlib.Path(__file__).resolve().parent

# galago bench's name of a shape, and what its tower is called there.
OUR_SHAPES = {"qwen2.5-0.5b": "Qwen2.5-0.5B", "qwen2.5-1.5b": "Qwen2.5-1.5B", "qwen2-7b": "Qwen2-7B",
              "mobilellama-1.4b": "MobileLLaMA-1.4B"}
OUR_TOWERS = {"siglip-448": "NVILA-Lite-2B", "clip-336": "MobileVLM_V2-1.7B"}
TOWER_WIDTH = 2048  # of the tiny decoder behind a peer's tower

# (name, file type of the layers, of the vocabulary tables, flags): what each peer is said to be fastest with.
PEER_MODES = {
    "llama.cpp": [("q4_0", "q4_0", "q6_k", []), ("q4_k", "q4_k", "q6_k", []), ("q4_0 fa", "q4_0", "q6_k", ["-fa", "on"])],
    "ik_llama.cpp": [("q4_0 rtr", "q4_0", "q6_k", ["-rtr", "1"]), ("q4_k rtr", "q4_k", "q6_k", ["-rtr", "1"]),
                     ("q4_0", "q4_0", "q6_k", [])],
}
PROGRAMS = {"llama.cpp": "LLAMA_CPP_BIN", "ik_llama.cpp": "IK_LLAMA_CPP_BIN"}


class Failure(Exception):
    pass


def run(command, timeout):
    started = time.monotonic()
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=timeout)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Failure(f"{command[0]}: {e}") from e
    if done.returncode != 0:
        raise Failure(f"{' '.join(str(c) for c in command)}: exit {done.returncode}\n{done.stderr.strip()[-2000:]}")
    return done, time.monotonic() - started


def make_model(work, name, flags):
    path = work / f"{name}.gguf"
    if not path.exists():
        run([sys.executable, HERE / "random_gguf.py", path, *flags], 3600)
    return path


def make_picture(work, side):
    """A PNG of soft gradients."""
    path = work / f"picture-{side}.png"
    if not path.exists():
        rows = b"".join(b"\0" + bytes(v for x in range(side) for v in (255 * x // side, 255 * y // side, (x + y) % 256))
                        for y in range(side))
        chunk = lambda kind, data: (struct.pack(">I", len(data)) + kind + data +
                                    struct.pack(">I", zlib.crc32(kind + data)))
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
                         chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))
    return path


# Every runner yields {task: {"wall": ms, "cpu": ms}}, where cpu may be absent; tasks: "prefill N" and "decode N" in ms a
# token, "tower" in ms a tile.
class Galago:
    def __init__(self, args, name, flags):
        self.args, self.name, self.flags = args, name, flags
        self.facts = {}

    def command(self, stages):
        a = self.args
        return [a.galago, "bench", "--stages", stages, "--prefill", ",".join(map(str, a.prefill)), "--depth",
                ",".join(map(str, a.depths)), "--repeats", "1", "--warmup", "1", "--steps", str(a.steps), "--threads",
                str(a.threads), "--json", "-q", *self.flags]

    def __call__(self):
        done, _ = run(self.command("tower" if self.args.tower else "prefill,decode"), self.args.timeout)
        report = json.loads(done.stdout)
        self.facts = {"engine": report["engine"], "device": report["device"], "model": report["model"]}
        times = {}
        for stage in report["stages"]:
            name = {"prefill": f"prefill {stage.get('tokens')}", "decode": f"decode {stage.get('depth')}",
                    "tower": "tower"}[stage["stage"]]
            units = stage.get("tokens", 1) * stage.get("tiles", 1)
            times[name] = {"wall": stage["wall_ms"]["median"] / units, "cpu": stage["cpu_ms"]["median"] / units}
        return times


class LlamaBench:
    def __init__(self, args, peer, folder, mode, model, flags):
        self.args, self.name = args, f"{peer} {mode}"
        self.program, self.model, self.flags = folder / "llama-bench", model, flags
        self.has_depth = peer == "llama.cpp"
        self.facts = {}

    def command(self):
        a = self.args
        command = [self.program, "-m", self.model, "-t", a.threads, "-r", 1, "-o", "json", *self.flags]
        command += ["-p", ",".join(map(str, a.prefill)), "-n", "0"]
        return command

    def decode_command(self, depth):
        command = [self.program, "-m", self.model, "-t", self.args.threads, "-r", 1, "-o", "json", *self.flags]
        if depth == 0:
            return command + ["-p", "0", "-n", str(self.args.steps)]
        if self.has_depth:
            return command + ["-p", "0", "-n", str(self.args.steps), "-d", str(depth)]
        # The fork's way to say it: only generation is timed.
        return command + ["-p", "0", "-n", "0", "-gp", f"{depth},{self.args.steps}"]

    @staticmethod
    def tests(output):
        # What stands before the list is the program's own log.
        return json.loads(output[output.index("["):])

    def __call__(self):
        times = {}
        done, _ = run(self.command(), self.args.timeout)
        for test in self.tests(done.stdout):
            self.facts = {k: test.get(k) for k in ("build_commit", "build_number", "model_type", "model_size")}
            times[f"prefill {test['n_prompt']}"] = {"wall": test["avg_ns"] / 1e6 / test["n_prompt"]}
        for depth in self.args.depths:
            done, _ = run(self.decode_command(depth), self.args.timeout)
            test = self.tests(done.stdout)[-1]
            times[f"decode {depth}"] = {"wall": test["avg_ns"] / 1e6 / test["n_gen"]}
        return times


class LlamaCppPython:
    def __init__(self, args, mode, model, flags):
        self.args, self.name, self.facts = args, f"llama.cpp {mode}", {}
        self.line = [args.llama_cpp_python, HERE / "llama_cpp_python_bench.py", model, "--threads", args.threads, "--prefill",
                     ",".join(map(str, args.prefill)), "--depths", ",".join(map(str, args.depths)), "--steps", args.steps,
                     *(["--flash-attention"] if "-fa" in flags else [])]

    def command(self):
        return self.line

    def __call__(self):
        done, _ = run(self.line, self.args.timeout)
        report = json.loads(done.stdout)
        self.facts = {"version": report["version"], "system": report["system"]}
        times = {}
        for stage, units in (("prefill", None), ("decode", self.args.steps)):
            for count, ms in report[stage].items():
                n = units or int(count)
                times[f"{stage} {count}"] = {"wall": ms["wall_ms"] / n, "cpu": ms["cpu_ms"] / n}
        return times


class InPython:
    """A tower in a package of an interpreter."""

    def __init__(self, args, name, line):
        self.args, self.name, self.facts, self.line = args, name, {}, [*line, "--threads", args.threads]

    def command(self):
        return self.line

    def __call__(self):
        done, _ = run(self.line, self.args.timeout)
        report = json.loads(done.stdout)
        times = report.pop("tower")
        self.facts = report
        return {"tower": {"wall": times["wall_ms"], "cpu": times["cpu_ms"]}}


class Mtmd:
    def __init__(self, args, peer, folder, mode, decoder, tower, picture):
        self.args, self.name, self.facts = args, f"{peer} {mode}", {}
        self.line = [folder / "llama-mtmd-cli", "-m", decoder, "--mmproj", tower, "--image", picture, "-p", "x", "-n", "1",
                     "-t", args.threads, "--temp", "0"]

    def command(self):
        return self.line

    def __call__(self):
        done, _ = run(self.line, self.args.timeout)
        found = re.findall(r"slice encoded in (\d+) ms", done.stdout + done.stderr)
        if not found:
            raise Failure(f"{self.name}: tells no encoding time")
        return {"tower": {"wall": float(found[-1])}}


def runners_of(args):
    work = args.work
    ours = ["--shape", OUR_TOWERS[args.tower] if args.tower else OUR_SHAPES[args.shape]]
    runners = []
    for mode in args.ours:
        runners.append(Galago(args, "galago" if mode == "default" else f"galago {mode}",
                              ours + ([] if mode == "default" else mode.split())))
    peers = 0
    for peer, folder in (("llama.cpp", args.llama_cpp), ("ik_llama.cpp", args.ik_llama_cpp)):
        folder = folder or os.environ.get(PROGRAMS[peer])
        program = "llama-mtmd-cli" if args.tower else "llama-bench"
        in_python = peer == "llama.cpp" and args.llama_cpp_python
        if not in_python and (not folder or not (pathlib.Path(folder) / program).exists()):
            print(f"{peer}: {program} is not there (--{peer.replace('_', '-').replace('.', '-')} DIR or "
                  f"{PROGRAMS[peer]}); left out", file=sys.stderr)
            continue
        peers += 1
        folder = pathlib.Path(folder or ".")
        if args.tower:
            decoder = make_model(work, f"decoder-{TOWER_WIDTH}",
                                 ["--shape", "qwen2.5-0.5b", "--type", "f16", "--layers", "1", "--width",
                                  str(TOWER_WIDTH), "--vocabulary", "1000"])
            side = int(args.tower.rsplit("-", 1)[1])
            for kind in args.tower_types:
                tower = make_model(work, f"{args.tower}-{kind}",
                                   ["--tower", args.tower, "--type", kind, "--width", str(TOWER_WIDTH)])
                runners.append(
                    InPython(args, f"{peer} {kind}", [args.llama_cpp_python, HERE / "llama_cpp_python_bench.py", decoder,
                                                      "--mmproj", tower, "--side", side]) if in_python
                    else Mtmd(args, peer, folder, kind, decoder, tower, make_picture(work, side)))
            continue
        for mode, kind, head, flags in PEER_MODES[peer]:
            if args.peer_modes and mode not in args.peer_modes:
                continue
            # Rows of 896 are no blocks of 256: those types do not exist for it, and its head falls back to 8 bits.
            if args.shape == "qwen2.5-0.5b":
                if kind == "q4_k":
                    continue
                head = "q8_0"
            model = make_model(work, f"{args.shape}-{kind}-{head}",
                               ["--shape", args.shape, "--type", kind, "--head", head])
            runners.append(LlamaCppPython(args, mode, model, flags) if in_python
                           else LlamaBench(args, peer, folder, mode, model, flags))
    if args.torch:
        peers += 1
        for kind in args.torch_types:
            runners.append(InPython(args, f"torch {kind}",
                                    [args.torch, HERE / "torch_tower_bench.py", args.tower, "--type", kind]))
    if not peers:
        raise Failure("no peer is there to compare with")
    return runners


def table(results, by):
    """results: {program: {task: [{"wall": ms, "cpu": ms} of each round]}}"""
    names = list(results)
    tasks = list(dict.fromkeys(task for times in results.values() for task in times))
    ours = [n for n in names if n.startswith("galago")]
    first = max(40, max(map(len, names)) + 18)
    lines = [f"{f'ms a token or tile, {by}':<{first}}" + "".join(f"{t:>16}" for t in tasks)]
    medians = {n: {t: statistics.median(v[by] for v in rounds) for t, rounds in results[n].items() if by in rounds[0]}
               for n in names}
    for name in names:
        lines.append(f"{name:<{first}}" + "".join(
            f"{medians[name][t]:>16.2f}" if t in medians[name] else f"{'-':>16}" for t in tasks))
    lines.append("")
    lines.append("times as fast as the best")
    for peer in [*PROGRAMS, "torch"]:
        rivals = [n for n in names if n.split(" ")[0] == peer]
        for our in ours:
            cells = []
            for task in tasks:
                best = min((medians[r][task] for r in rivals if task in medians[r]), default=None)
                cells.append(f"{best / medians[our][task]:>15.2f}x" if best and task in medians[our] else f"{'-':>16}")
            if rivals:
                lines.append(f"{our + ' / ' + peer:<{first}}" + "".join(cells))
    return "\n".join(lines)


def numbers(text):
    return [int(n) for n in text.split(",")]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = p.add_mutually_exclusive_group(required=True)
    what.add_argument("--shape", choices=sorted(OUR_SHAPES))
    what.add_argument("--tower", choices=sorted(OUR_TOWERS))
    p.add_argument("--galago", default="build/release/galago")
    p.add_argument("--llama-cpp", help="folder of llama.cpp's programs")
    p.add_argument("--llama-cpp-python", metavar="PYTHON", help="interpreter that has the package llama-cpp-python")
    p.add_argument("--torch", metavar="PYTHON", help="interpreter that has PyTorch, for towers")
    p.add_argument("--ik-llama-cpp", help="folder of ik_llama.cpp's programs")
    p.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/tmp/galago-peers"), help="models are kept here")
    p.add_argument("--ours", action="append", default=[],
                   help="flags of galago bench for one more way of ours, such as '--weights w4 --head w8'")
    p.add_argument("--peer-modes", type=lambda t: t.split(","), help="only these of the peers' modes")
    p.add_argument("--tower-types", type=lambda t: t.split(","), default=["f16", "q8_0"])
    p.add_argument("--torch-types", type=lambda t: t.split(","), default=["f32", "bf16", "int8"])
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--prefill", type=numbers, default=[512, 1024])
    p.add_argument("--depths", type=numbers, default=[0, 1024])
    p.add_argument("--steps", type=int, default=32, help="decoded tokens of a run")
    p.add_argument("--by", choices=["wall", "cpu"], default="wall", help="which time the table compares")
    p.add_argument("--timeout", type=float, default=1800)
    p.add_argument("--record", type=pathlib.Path, help="write commands and every number as JSON")
    args = p.parse_args()
    if args.torch and not args.tower:
        p.error("--torch runs towers: it goes with --tower")
    args.ours = args.ours or ["default"]
    args.work.mkdir(parents=True, exist_ok=True)
    try:
        runners = runners_of(args)
        results = {r.name: {} for r in runners}
        for turn in range(args.rounds):
            for i in range(len(runners)):
                runner = runners[(i + turn) % len(runners)]
                for task, times in runner().items():
                    results[runner.name].setdefault(task, []).append(times)
                print(f"round {turn + 1}: {runner.name}", file=sys.stderr)
    except Failure as e:
        print(f"compare: {e}", file=sys.stderr)
        return 1
    print(table(results, args.by))
    if args.record:
        record = {"results": results, "facts": {r.name: r.facts for r in runners},
                  "load": os.getloadavg(), "arguments": sys.argv[1:]}
        args.record.write_text(json.dumps(record, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
