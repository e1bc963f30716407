#!/usr/bin/env python3
"""Writes the seeds of the checkpoint parsers: corpus/{safetensors,galago,torch,gguf,json}/. Standard library only.

usage: fuzz/make_seeds.py    (from anywhere; rewrites the same bytes every time)

Seeds named crash-* are inputs that once broke a parser; they are kept as found and not written by this script.
"""
import io
import json
import pathlib
import struct
import zipfile

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"


def write(subject, name, data):
    folder = CORPUS / subject
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def safetensors_seeds():
    write("safetensors", "all_types", safetensors(
        {"__metadata__": {"format": "pt"}, "a": entry("F32", [2, 2], 0, 16), "b": entry("BF16", [3], 16, 22),
         "c": entry("F16", [1], 22, 24), "d": entry("I64", [1], 24, 32), "e": entry("U8", [2, 1, 2], 32, 36),
         "f": entry("BOOL", [2], 36, 38), "g": entry("I32", [], 38, 42), "empty": entry("F64", [0, 7], 42, 42)},
        bytes(range(42))))
    write("safetensors", "no_tensors", safetensors({}))
    write("safetensors", "wrapping_product", safetensors({"a": entry("F32", [1 << 62, 4, 0], 0, 0)}))
    write("safetensors", "overlap", safetensors({"a": entry("U8", [4], 0, 4), "b": entry("U8", [4], 2, 6)}, bytes(6)))
    write("safetensors", "negative", safetensors({"a": entry("U8", [-4], 0, 4)}, bytes(4)))
    write("safetensors", "deep", safetensors(b'{"a":' + b"[" * 200))
    write("safetensors", "lfs_pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n")


def checksum64(data):
    """src/base/hash.cc: Checksum64, as 16 hex digits."""
    mask, prime = (1 << 64) - 1, 0x9E3779B97F4A7C15
    lanes = [prime * (i + 1) & mask for i in range(8)]
    whole = len(data) // 64 * 64
    for at in range(0, whole, 64):
        for i, word in enumerate(struct.unpack_from("<8Q", data, at)):
            mixed = (lanes[i] ^ word) * prime & mask
            lanes[i] = mixed ^ mixed >> 32
    rest = struct.unpack("<8Q", data[whole:].ljust(64, b"\0"))
    total = len(data)
    for i in range(8):
        for word in (rest[i], lanes[i]):
            total = (total ^ word) * prime & mask
            total ^= total >> 29
    return f"{total:016x}"


def galago(tensors, files, version="1", panels="p16"):
    """tensors: (name, safetensors dtype, our dtype, shape, bytes)."""
    data, header, table = b"", {}, {}

    def add(name, dtype, shape, content):
        nonlocal data
        header[name] = entry(dtype, shape, len(data), len(data) + len(content))
        data += content
        missing = -len(data) % 64
        if missing:
            header[f"padding/{len(header)}"] = entry("U8", [missing], len(data), len(data) + missing)
            data += bytes(missing)

    for name, content in files.items():
        add("file/" + name, "U8", [len(content)], content)
        table["file/" + name] = {"sum": checksum64(content)}
    for name, stored, dtype, shape, content in tensors:
        add(name, stored, [len(content)] if dtype.startswith("w") else shape, content)
        table[name] = {"sum": checksum64(content), "dtype": dtype, "shape": shape}
    facts, text = '{"source":"directory"}', json.dumps(table)
    header["__metadata__"] = {
        "format": "galago", "galago.version": version, "galago.panels": panels, "galago.facts": facts,
        "galago.table": text, "galago.sum": checksum64("\n".join([version, panels, facts, text]).encode())}
    packed = json.dumps(header).encode()
    packed += b" " * (-(8 + len(packed)) % 64)
    return struct.pack("<Q", len(packed)) + packed + data


def galago_seeds():
    norm = ("language/norm.weight", "F32", "f32", [3], bytes(12))
    matrix = ("language/q.weight", "U8", "w4g32", [5, 32], bytes(range(256)) + bytes(64))  # 1 panel, 64 + 256 bytes
    row = ("vision/fc1.weight", "U8", "w8row", [2, 3], bytes(16 * 64 + 128))
    files = {"config.json": b"{}", "llm/tokenizer.model": b"\0\1\2", "empty": b""}
    write("galago", "small", galago([norm, matrix, row], files))
    write("galago", "no_tensors", galago([], files))
    write("galago", "version_2", galago([norm], files, version="2"))
    write("galago", "other_panels", galago([norm], files, panels="q8"))
    write("galago", "wrong_size", galago([("language/q.weight", "U8", "w4g32", [17, 32], bytes(320))], {}))
    write("galago", "huge_shape", galago([("language/q.weight", "U8", "w8g16", [1 << 62, 16], bytes(320))], {}))
    write("galago", "group", galago([("language/q.weight", "U8", "w4g128", [16, 96], bytes(320))], {}))
    write("galago", "negative", galago([("language/q.weight", "U8", "w4g32", [-16, 32], bytes(320))], {}))
    write("galago", "plain_safetensors", safetensors({"a": entry("F32", [1], 0, 4)}, bytes(4)))


def gguf_string(text):
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def gguf(pairs, tensors, data, version=3, alignment=32):
    """pairs: (key, type, value bytes); tensors: (name, ne, ggml type, offset)."""
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(pairs))
    for key, kind, value in pairs:
        out += gguf_string(key) + struct.pack("<I", kind) + value
    for name, ne, kind, offset in tensors:
        out += gguf_string(name) + struct.pack("<I", len(ne)) + b"".join(struct.pack("<Q", n) for n in ne)
        out += struct.pack("<IQ", kind, offset)
    return out + bytes(-len(out) % alignment) + data


def gguf_seeds():
    strings = struct.pack("<IQ", 8, 3) + gguf_string("<s>") + gguf_string("") + gguf_string("b\xff")
    pairs = [
        ("general.architecture", 8, gguf_string("llama")),
        ("general.alignment", 4, struct.pack("<I", 32)),
        ("tokenizer.ggml.tokens", 9, strings),
        ("tokenizer.ggml.scores", 9, struct.pack("<IQ3f", 6, 3, 0.0, -1.0, 2.5)),
        ("tokenizer.ggml.token_type", 9, struct.pack("<IQ3i", 5, 3, 1, 2, -3)),
        ("a.u8", 0, b"\x07"), ("a.i8", 1, b"\xf9"), ("a.u16", 2, struct.pack("<H", 65535)),
        ("a.i16", 3, struct.pack("<h", -2)), ("a.i32", 5, struct.pack("<i", -5)), ("a.f32", 6, struct.pack("<f", 1e-5)),
        ("a.bool", 7, b"\x01"), ("a.u64", 10, struct.pack("<Q", 2**64 - 1)), ("a.i64", 11, struct.pack("<q", -9)),
        ("a.f64", 12, struct.pack("<d", 0.1)),
    ]
    write("gguf", "every_value_type", gguf(pairs, [("w", [2, 3], 0, 0)], bytes(24)))
    blocks = [("q4_0", 2, 18, 32), ("q4_1", 3, 20, 32), ("q5_0", 6, 22, 32), ("q5_1", 7, 24, 32), ("q8_0", 8, 34, 32),
              ("q2_k", 10, 84, 256), ("q3_k", 11, 110, 256), ("q4_k", 12, 144, 256), ("q5_k", 13, 176, 256),
              ("q6_k", 14, 210, 256), ("f16", 1, 2, 1), ("bf16", 30, 2, 1), ("i8", 24, 1, 1)]
    tensors, data = [], b""
    for name, kind, size, elements in blocks:
        tensors.append((name, [elements], kind, len(data)))
        data += bytes((i * 37 + kind) & 255 for i in range(size))
        data += bytes(-len(data) % 32)
    write("gguf", "every_tensor_type", gguf([], tensors, data))
    write("gguf", "unknown_type", gguf([], [("x", [32], 99, 0), ("y", [256], 16, 0)], bytes(32)))
    write("gguf", "version_2", gguf([("k", 4, struct.pack("<I", 1))], [], b"", version=2))
    write("gguf", "huge_counts", b"GGUF" + struct.pack("<IQQ", 3, 2**63, 2**63))
    write("gguf", "huge_array", gguf([("k", 9, struct.pack("<IQ", 10, 2**61))], [], b""))
    write("gguf", "nested_array", gguf([("k", 9, struct.pack("<IQ", 9, 1))], [], b""))


def stored_zip(members, folder="archive"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as out:
        for name, data in members:
            out.writestr(zipfile.ZipInfo(f"{folder}/{name}", (1980, 1, 1, 0, 0, 0)), data)
    return buffer.getvalue()


def text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value):
    return b"K" + bytes([value])


def numbers(values):
    return b"(" + b"".join(number(v) for v in values) + b"t"


def tensor(storage, key, count, sizes, strides, offset=0):
    persistent = b"(" + text("storage") + f"ctorch\n{storage}\n".encode() + text(key) + text("cpu") + number(count) + b"tQ"
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + persistent + number(offset) + numbers(sizes) + numbers(strides) +
            b"\x89ccollections\nOrderedDict\n)RtR")


def state_dict(tensors):
    return b"}(" + b"".join(text(name) + value for name, value in tensors) + b"u"


def torch_seeds():
    weights = tensor("FloatStorage", "0", 6, [2, 3], [3, 1])
    pickle = b"\x80\x02" + state_dict([("a", weights)]) + b"."
    members = [("data.pkl", pickle), ("byteorder", b"little"), ("data/0", bytes(24)), ("version", b"3\n")]
    write("torch", "one_tensor", stored_zip(members))
    write("torch", "pickle_alone", pickle)
    wrapped = b"\x80\x02}q\x00(" + text("state_dict") + state_dict([
        ("t", tensor("BFloat16Storage", "0", 6, [3, 2], [1, 3])),
        ("s", tensor("LongStorage", "1", 1, [], [])),
        ("p", b"ctorch._utils\n_rebuild_parameter\n(" + tensor("HalfStorage", "2", 4, [2], [1], 2) + b"\x88}tR"),
    ]) + text("epoch") + number(3) + b"u."
    write("torch", "wrapped", stored_zip([("data.pkl", wrapped), ("data/0", bytes(12)), ("data/1", bytes(8)),
                                          ("data/2", bytes(8))]))
    write("torch", "wrapped_pickle", wrapped)
    write("torch", "calls_system", b"\x80\x02cposix\nsystem\n" + text("true") + b"\x85R.")
    write("torch", "protocol_4", b"\x80\x04\x95\x20\0\0\0\0\0\0\0}\x94\x8c\x01a\x94\x8c\x05torch\x94\x8c\x0cFloatStorage"
                                 b"\x94\x93s.")
    write("torch", "cyclic_list", b"\x80\x02]q\x00h\x00a.")
    write("torch", "expanded", stored_zip([("data.pkl", b"\x80\x02" + state_dict([
        ("a", tensor("FloatStorage", "0", 1, [200, 200, 200], [0, 0, 0]))]) + b"."), ("data/0", bytes(4))]))


def real_torch_seeds():
    """Files of the real torch.save, from the reader's tests."""
    golden = CORPUS.parent.parent / "tests" / "golden" / "data" / "torch"
    for name in ("protocol_4.pt", "module_state_dict.pt", "before_1_6.pt"):
        write("torch", f"real_{name}", (golden / name).read_bytes())


def json_seeds():
    write("json", "object", b'{"a": [1, -2, 3.5e-7, true, false, null], "b": {"c": "d\\u00e9\\ud83d\\ude00"}}')
    write("json", "duplicates", b'{"a": 1, "a": 2}')
    write("json", "big_numbers", b'{"a": 9223372036854775807, "b": 18446744073709551615, "c": -9223372036854775808,'
                                 b' "d": 9223372036854775808.0, "e": 1e308, "f": -0}')
    write("json", "overflow", b"[1e999]")
    write("json", "deep", b"[" * 100)
    write("json", "surrogate", b'["\\ud800"]')
    write("json", "bom", b"\xef\xbb\xbf{}")


if __name__ == "__main__":
    safetensors_seeds()
    galago_seeds()
    gguf_seeds()
    torch_seeds()
    real_torch_seeds()
    json_seeds()
