#!/usr/bin/env python3
"""Writes data/pictures/: small encoded pictures and pictures.json with what Pillow decodes them to.

  pillow_pictures.py --out data/pictures

pictures.json: for each file its size and the FNV-1a 64-bit hash of the RGB bytes of
PIL.Image.open(file).convert("RGB"); for a file with an orientation also the size and hash after
PIL.ImageOps.exif_transpose; "error": true where Pillow refuses the file.
Pillow encodes most files; what it cannot write (interlaced and 16-bit PNG, run-length BMP, ...) is
encoded here by hand.
"""

import argparse
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, ImageSequence, features
from PIL import __version__ as pillow_version


def fnv64(data):
    h = 0xcbf29ce484222325
    for b in bytes(data):
        h = ((h ^ b) * 0x100000001b3) & 0xffffffffffffffff
    return f"{h:016x}"


def photo(w, h):
    """Smooth colours with an edge, a disc and some noise."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    rng = np.random.default_rng(w * 1000 + h)
    r = 255 * x / max(w - 1, 1)
    g = 255 * y / max(h - 1, 1)
    b = 127 + 120 * np.sin(x / 3.0) * np.cos(y / 5.0)
    disc = (x - w * 0.6) ** 2 + (y - h * 0.4) ** 2 < (h * 0.25) ** 2
    rgb = np.stack([r, g, b], -1)
    rgb[disc] = [230, 40, 30]
    rgb[:, w // 4:w // 4 + 2] = [10, 240, 250]
    return np.clip(rgb + rng.normal(0, 6, rgb.shape), 0, 255).astype(np.uint8)


def alpha(w, h):
    y, x = np.mgrid[0:h, 0:w]
    return ((x * 9 + y * 17) % 256).astype(np.uint8)


def palette_image(w, h, colours):
    return Image.fromarray(photo(w, h)).quantize(colours, dither=Image.Dither.NONE)


# PNG ---------------------------------------------------------------------------------------------

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(samples, depth, colour, palette=None, trns=None, interlace=False, extra=(), filters=(0, 1, 2, 3, 4), split=1):
    """samples: [h, w, channels] integers of the given depth."""
    h, w, ch = samples.shape

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def pack(rows):
        n, width, _ = rows.shape
        bpp = max(1, ch * depth // 8)
        out, before = bytearray(), bytes((width * ch * depth + 7) // 8)
        for i in range(n):
            if depth == 16:
                line = rows[i].astype(">u2").tobytes()
            elif depth == 8:
                line = rows[i].astype(np.uint8).tobytes()
            else:
                bits = ((rows[i].reshape(-1, 1) >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8).reshape(-1)
                line = np.packbits(bits).tobytes()
            f = filters[i % len(filters)]
            out.append(f)
            for k, v in enumerate(line):
                a = line[k - bpp] if k >= bpp else 0
                b = before[k]
                c = before[k - bpp] if k >= bpp else 0
                p = a + b - c
                pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
                guess = [0, a, b, (a + b) // 2, a if pa <= pb and pa <= pc else b if pb <= pc else c][f]
                out.append((v - guess) & 255)
            before = line
        return bytes(out)

    raw = b""
    if interlace:
        for x0, y0, dx, dy in ADAM7:
            part = samples[y0::dy, x0::dx]
            if part.size:
                raw += pack(part)
    else:
        raw = pack(samples)
    body = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, int(interlace)))
    for kind, data in extra:
        body += chunk(kind, data)
    if palette is not None:
        body += chunk(b"PLTE", bytes(palette))
    if trns is not None:
        body += chunk(b"tRNS", bytes(trns))
    packed = zlib.compress(raw, 9)
    step = -(-len(packed) // split)
    for at in range(0, len(packed), step):
        body += chunk(b"IDAT", packed[at:at + step])
    return body + chunk(b"IEND", b"")


def pngs(put):
    rgb = photo(37, 23)
    grey = rgb[..., :1].astype(np.int64)
    wide = rgb.astype(np.int64) * 257 - (rgb.astype(np.int64) % 7) * 13
    wide = np.clip(wide, 0, 65535)
    a8 = alpha(37, 23)[..., None].astype(np.int64)
    for d in (1, 2, 4):
        put(f"grey{d}.png", png(grey >> (8 - d), d, 0))
        put(f"grey{d}_interlaced.png", png(grey >> (8 - d), d, 0, interlace=True))
    put("grey8.png", png(grey, 8, 0))
    put("grey8_trns.png", png(grey, 8, 0, trns=struct.pack(">H", int(grey[0, 0, 0]))))
    put("grey16.png", png(wide[..., :1], 16, 0))
    put("rgb8.png", png(rgb, 8, 2, split=5))
    put("rgb8_interlaced.png", png(rgb, 8, 2, interlace=True))
    put("rgb8_trns.png", png(rgb, 8, 2, trns=struct.pack(">HHH", *map(int, rgb[0, 0]))))
    put("rgb8_gamma.png", png(rgb, 8, 2, extra=[(b"gAMA", struct.pack(">I", 100000)), (b"sRGB", b"\0")]))
    put("rgb16.png", png(wide, 16, 2))
    put("rgb16_interlaced.png", png(wide, 16, 2, interlace=True))
    put("grey_alpha8.png", png(np.concatenate([grey, a8], -1), 8, 4))
    put("grey_alpha16.png", png(np.concatenate([wide[..., :1], a8 * 257], -1), 16, 4))
    put("rgba8.png", png(np.concatenate([rgb, a8], -1), 8, 6))
    put("rgba8_interlaced.png", png(np.concatenate([rgb, a8], -1), 8, 6, interlace=True))
    put("rgba16.png", png(np.concatenate([wide, a8 * 257], -1), 16, 6))
    for d, n in ((1, 2), (2, 4), (4, 16), (8, 200)):
        im = palette_image(37, 23, n)
        idx = np.asarray(im)[..., None].astype(np.int64)
        pal = im.getpalette()[:3 * n]
        put(f"palette{d}.png", png(idx, d, 3, palette=pal))
        put(f"palette{d}_trns.png", png(idx, d, 3, palette=pal, trns=[0, 128, 255, 7][:max(1, n // 2)], interlace=d in (2, 8)))
    put("tiny1x1.png", png(rgb[:1, :1], 8, 2))
    put("tiny3x1_interlaced.png", png(rgb[:1, :3], 8, 2, interlace=True))
    put("tall1x40.png", png(photo(1, 40), 8, 2))
    whole = png(rgb, 8, 2)
    put("truncated.png", whole[:len(whole) // 2])
    put("bad_crc.png", whole[:60] + bytes([whole[60] ^ 1]) + whole[61:])
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(rgb).save(out, "PNG", exif=exif)
    put("exif6.png", out.getvalue())


# JPEG --------------------------------------------------------------------------------------------

def jpegs(put):
    def save(im, **kw):
        out = io.BytesIO()
        im.save(out, "JPEG", **kw)
        return out.getvalue()

    rgb = Image.fromarray(photo(57, 39))
    put("baseline_444.jpg", save(rgb, quality=85, subsampling=0))
    put("baseline_422.jpg", save(rgb, quality=85, subsampling=1))
    put("baseline_420.jpg", save(rgb, quality=85, subsampling=2))
    put("baseline_q30.jpg", save(rgb, quality=30))
    put("baseline_q100.jpg", save(rgb, quality=100, subsampling=2))
    put("optimized_420.jpg", save(rgb, quality=75, optimize=True))
    put("restart_420.jpg", save(rgb, quality=75, restart_marker_blocks=2))
    put("progressive_444.jpg", save(rgb, quality=85, subsampling=0, progressive=True))
    put("progressive_420.jpg", save(rgb, quality=85, subsampling=2, progressive=True))
    put("grey.jpg", save(rgb.convert("L"), quality=85))
    put("grey_progressive.jpg", save(rgb.convert("L"), quality=85, progressive=True))
    put("adobe_rgb.jpg", save(rgb, quality=85, keep_rgb=True))
    cmyk = Image.merge("CMYK", [Image.fromarray(c) for c in (photo(41, 30)[..., 0], photo(41, 30)[..., 1],
                                                             photo(41, 30)[..., 2], alpha(41, 30) // 2)])
    plain = save(cmyk, quality=90)
    put("cmyk.jpg", plain)
    put("cmyk_progressive.jpg", save(cmyk, quality=90, progressive=True))
    # The same four planes marked as YCCK: byte 11 of the Adobe segment is the transform.
    at = plain.index(b"Adobe")
    assert plain[at - 4:at - 2] == b"\xff\xee" and plain[at + 11] == 0
    put("ycck.jpg", plain[:at + 11] + b"\x02" + plain[at + 12:])
    for w, h in ((1, 1), (8, 8), (16, 16), (17, 9), (9, 17), (33, 1), (1, 33)):
        put(f"size_{w}x{h}_420.jpg", save(Image.fromarray(photo(w, h)), quality=90, subsampling=2))
    put("size_15x31_422.jpg", save(Image.fromarray(photo(15, 31)), quality=90, subsampling=1))
    for o in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = o
        put(f"exif{o}.jpg", save(Image.fromarray(photo(24, 15)), quality=90, subsampling=0, exif=exif))
    little = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    put("exif6_little_endian.jpg", save(Image.fromarray(photo(24, 15)), quality=90, exif=little))
    whole = save(rgb, quality=85)
    put("truncated.jpg", whole[:len(whole) * 2 // 3])
    put("trailing_bytes.jpg", whole + b"trailing bytes")
    put("comment.jpg", save(rgb, quality=60, comment=b"a comment", dpi=(72, 72)))


# WebP, GIF ---------------------------------------------------------------------------------------

def webps(put):
    def save(im, **kw):
        out = io.BytesIO()
        im.save(out, "WEBP", **kw)
        return out.getvalue()

    rgb = Image.fromarray(photo(45, 31))
    rgba = rgb.copy()
    rgba.putalpha(Image.fromarray(alpha(45, 31)))
    put("lossy.webp", save(rgb, quality=80))
    put("lossy_q20.webp", save(rgb, quality=20, method=6))
    put("lossless.webp", save(rgb, lossless=True))
    put("lossless_palette.webp", save(palette_image(45, 31, 8).convert("RGB"), lossless=True))
    put("lossless_alpha.webp", save(rgba, lossless=True, exact=True))
    put("lossy_alpha.webp", save(rgba, quality=80, exact=True))
    put("lossy_alpha_lossy.webp", save(rgba, quality=80, alpha_quality=40))
    frames = [Image.fromarray(np.roll(photo(45, 31), 5 * i, 1)) for i in range(3)]
    put("animated.webp", save(frames[0], save_all=True, append_images=frames[1:], duration=50, quality=80))
    put("animated_lossless_alpha.webp", save(rgba, save_all=True, append_images=[rgba.rotate(180)], duration=50, lossless=True))
    exif = Image.Exif()
    exif[0x0112] = 8
    put("exif8.webp", save(rgb, quality=80, exif=exif))
    put("tiny1x1.webp", save(rgb.crop((0, 0, 1, 1)), lossless=True))
    whole = save(rgb, quality=80)
    put("truncated.webp", whole[:len(whole) // 2])


def gif_by_hand(screen, frame, palette, background, transparent=None, local=False):
    """One frame at an offset, in 9-bit codes with a clear code before the table would grow."""
    (sw, sh), (x, y, idx) = screen, frame
    h, w = idx.shape
    table = bytes(palette) + bytes(768 - len(palette))
    body = b"GIF89a" + struct.pack("<HHBBB", sw, sh, 0x70 if local else 0xf7, background, 0)
    if not local:
        body += table
    if transparent is not None:
        body += b"\x21\xf9\x04" + struct.pack("<BHB", 1, 5, transparent) + b"\0"
    body += b"," + struct.pack("<HHHHB", x, y, w, h, 0x87 if local else 0)
    if local:
        body += table
    codes = []
    for k, v in enumerate(idx.reshape(-1)):
        if k % 250 == 0:
            codes.append(256)
        codes.append(int(v))
    codes.append(257)
    acc = n = 0
    data = bytearray()
    for c in codes:
        acc |= c << n
        n += 9
        while n >= 8:
            data.append(acc & 255)
            acc >>= 8
            n -= 8
    if n:
        data.append(acc & 255)
    body += b"\x08"
    for at in range(0, len(data), 255):
        part = data[at:at + 255]
        body += bytes([len(part)]) + part
    return body + b"\0;"


def gifs(put):
    def save(im, **kw):
        out = io.BytesIO()
        im.save(out, "GIF", **kw)
        return out.getvalue()

    im = palette_image(43, 29, 100)
    put("palette.gif", save(im, interlace=0))
    put("interlaced.gif", save(im, interlace=1))
    put("two_colours.gif", save(palette_image(43, 29, 2), interlace=0))
    put("transparent.gif", save(im, transparency=int(np.asarray(im)[3, 3]), interlace=0))
    put("grey.gif", save(Image.fromarray(photo(43, 29)[..., 0]), interlace=0))
    frames = [Image.fromarray(np.roll(photo(43, 29), 4 * i, 1)).quantize(64) for i in range(3)]
    put("animated.gif", save(frames[0], save_all=True, append_images=frames[1:], duration=50, loop=0))
    idx = np.asarray(palette_image(20, 11, 30))
    pal = palette_image(20, 11, 30).getpalette()[:90]
    put("offset.gif", gif_by_hand((32, 20), (7, 5, idx), pal, 3))
    put("offset_transparent.gif", gif_by_hand((32, 20), (7, 5, idx), pal, 3, transparent=int(idx[0, 0])))
    put("local_palette.gif", gif_by_hand((20, 11), (0, 0, idx), pal, 0, local=True))
    big = Image.fromarray((np.arange(60 * 40).reshape(40, 60) * 7919 % 256).astype(np.uint8))
    put("noise.gif", save(big, interlace=0))
    whole = save(im, interlace=0)
    put("truncated.gif", whole[:len(whole) * 2 // 3])


# BMP and the portable maps -----------------------------------------------------------------------

def bmp(w, h, bits, data, compression=0, palette=b"", top_down=False, masks=b""):
    offset = 14 + 40 + len(masks) + len(palette)
    head = struct.pack("<IiiHHIIiiII", 40, w, -h if top_down else h, 1, bits, compression, len(data), 2835, 2835,
                       len(palette) // 4, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + head + masks + palette + data


def rows4(rows, top_down=False):
    rows = rows if top_down else rows[::-1]
    return b"".join(r + bytes(-len(r) % 4) for r in rows)


def rle8(idx):
    out = bytearray()
    for row in idx[::-1]:
        k = 0
        while k < len(row):
            run = 1
            while k + run < len(row) and row[k + run] == row[k] and run < 255:
                run += 1
            if run == 1 and k + 3 <= len(row):
                n = min(5, len(row) - k)
                out += bytes([0, n]) + bytes(row[k:k + n]) + bytes(n % 2)
                k += n
            else:
                out += bytes([run, row[k]])
                k += run
        out += b"\0\0"
    return bytes(out + b"\0\1")


def rle4(idx):
    out = bytearray()
    for row in idx[::-1]:
        k = 0
        while k < len(row):
            n = min(6, len(row) - k)
            part = [int(v) for v in row[k:k + n]] + [0] * (-n % 4)
            if n >= 3:
                packed = bytes(part[i] << 4 | part[i + 1] for i in range(0, len(part), 2))
                packed = packed[:(n + 1) // 2]
                out += bytes([0, n]) + packed + bytes(len(packed) % 2)
            else:
                for v in part[:n]:
                    out += bytes([1, v << 4])
            k += n
        out += b"\0\0"
    return bytes(out + b"\0\1")


def bmps(put):
    rgb = photo(35, 22)
    bgr = rgb[..., ::-1]
    put("rgb24.bmp", bmp(35, 22, 24, rows4([r.tobytes() for r in bgr])))
    put("rgb24_top_down.bmp", bmp(35, 22, 24, rows4([r.tobytes() for r in bgr], True), top_down=True))
    bgrx = np.concatenate([bgr, alpha(35, 22)[..., None]], -1)
    put("rgb32.bmp", bmp(35, 22, 32, rows4([r.tobytes() for r in bgrx])))
    put("rgb32_fields.bmp", bmp(35, 22, 32, rows4([r.tobytes() for r in bgrx]), 3, masks=struct.pack("<III", 0xff0000, 0xff00, 0xff)))
    x = rgb.astype(np.uint16)
    r555 = ((x[..., 0] >> 3) << 10 | (x[..., 1] >> 3) << 5 | x[..., 2] >> 3).astype("<u2")
    r565 = ((x[..., 0] >> 3) << 11 | (x[..., 1] >> 2) << 5 | x[..., 2] >> 3).astype("<u2")
    put("rgb16_555.bmp", bmp(35, 22, 16, rows4([r.tobytes() for r in r555])))
    put("rgb16_565.bmp", bmp(35, 22, 16, rows4([r.tobytes() for r in r565]), 3, masks=struct.pack("<III", 0xf800, 0x7e0, 0x1f)))
    for bits, n in ((8, 200), (4, 16), (1, 2)):
        im = palette_image(35, 22, n)
        idx = np.asarray(im)
        pal = np.zeros((n, 4), np.uint8)
        pal[:, :3] = np.array(im.getpalette()[:3 * n], np.uint8).reshape(n, 3)[:, ::-1]
        if bits == 8:
            lines = [r.tobytes() for r in idx]
        elif bits == 4:
            wide = np.pad(idx, ((0, 0), (0, 1)))
            lines = [(r[0::2] << 4 | r[1::2]).astype(np.uint8).tobytes() for r in wide]
        else:
            lines = [np.packbits(r).tobytes() for r in idx]
        put(f"palette{bits}.bmp", bmp(35, 22, bits, rows4(lines), palette=pal.tobytes()))
        if bits == 8:
            put("rle8.bmp", bmp(35, 22, 8, rle8(idx), 1, pal.tobytes()))
        if bits == 4:
            put("rle4.bmp", bmp(35, 22, 4, rle4(idx), 2, pal.tobytes()))
    whole = bmp(35, 22, 24, rows4([r.tobytes() for r in bgr]))
    put("truncated.bmp", whole[:len(whole) // 2])


def maps(put):
    rgb = photo(21, 14)
    grey = rgb[..., 0]
    bits = (grey > 127).astype(np.uint8)

    def text(v):
        return "\n".join(" ".join(str(int(i)) for i in r.reshape(-1)) for r in v).encode() + b"\n"

    put("p1.pbm", b"P1\n# comment\n21 14\n" + text(1 - bits))
    put("p4.pbm", b"P4\n21 14\n" + b"".join(np.packbits(r).tobytes() for r in 1 - bits))
    put("p2.pgm", b"P2\n# a comment\n21 14\n255\n" + text(grey))
    put("p2_max15.pgm", b"P2\n21 14\n15\n" + text(grey >> 4))
    put("p3.ppm", b"P3 21\t14 255\n" + text(rgb))
    put("p5.pgm", b"P5\n21 14\n# late comment\n255\n" + grey.tobytes())
    put("p5_max100.pgm", b"P5\n21 14\n100\n" + (grey.astype(np.int64) * 100 // 255).astype(np.uint8).tobytes())
    put("p5_16.pgm", b"P5\n21 14\n65535\n" + (grey.astype(np.int64) * 257).astype(">u2").tobytes())
    put("p6.ppm", b"P6\n21 14\n255\n" + rgb.tobytes())
    put("p6_max31.ppm", b"P6\n21 14\n31\n" + (rgb >> 3).tobytes())
    put("p6_16.ppm", b"P6\n21 14\n65535\n" + (rgb.astype(np.int64) * 257 - 3 * (rgb > 9)).astype(">u2").tobytes())
    put("truncated.ppm", b"P6\n21 14\n255\n" + rgb.tobytes()[:300])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", type=Path, required=True)
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    rows = []

    def put(name, data):
        (a.out / name).write_bytes(data)
        row = {"file": name}
        try:
            with Image.open(a.out / name) as im:
                row["format"], row["mode"] = im.format, im.mode
                frames = getattr(im, "n_frames", 1)
                im.seek(0)
                rgb = im.convert("RGB")
                row.update({"width": rgb.size[0], "height": rgb.size[1], "fnv64": fnv64(rgb.tobytes())})
                orientation = im.getexif().get(0x0112)
                if orientation is not None:
                    turned = ImageOps.exif_transpose(im).convert("RGB")
                    row["orientation"] = int(orientation)
                    row["transposed"] = {"width": turned.size[0], "height": turned.size[1], "fnv64": fnv64(turned.tobytes())}
                if frames > 1:
                    row["frames"] = [fnv64(f.convert("RGB").tobytes()) for f in ImageSequence.Iterator(im)]
        except Exception as e:  # Pillow raises many kinds
            row = {"file": name, "error": True, "why": f"{type(e).__name__}: {e}".replace(str(a.out) + "/", "")}
        rows.append(row)

    for make in (jpegs, pngs, webps, gifs, bmps, maps):
        make(put)
    out = {"pillow": pillow_version,
           "decoders": {"jpeg": f"libjpeg-turbo {features.version('libjpeg_turbo')}", "webp": f"libwebp {features.version('webp')}",
                        "png": f"Pillow with zlib {features.version('zlib')}"},
           "pictures": rows}
    lines = ",\n".join("  " + json.dumps(r) for r in out.pop("pictures"))
    text = json.dumps(out)[:-1] + ',\n "pictures": [\n' + lines + "\n]}\n"
    json.loads(text)
    (a.out / "pictures.json").write_text(text)
    print(len(rows), "pictures,", sum(f.stat().st_size for f in a.out.iterdir()), "bytes")
    for r in rows:
        if "error" in r:
            print(r)


if __name__ == "__main__":
    main()
