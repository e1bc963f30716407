"""Prompts shared by the cases; `{q}` is replaced by the first question that leaves no near-tie in greedy decoding."""

import copy

QUESTIONS = [
    "What is this?", "Describe the picture in detail.", "What colour is it?", "How many people are there?",
    "What is in the image?", "Which one is blue?", "Is there a dog near the river?", "Where is the bridge?",
    "Tell me about the 3 houses.", "Who is on the boat?", "What does the sign say?", "Name the largest object.",
    "Give a short answer: red or green?", "Why is the street yellow?", "Read the text in the picture.",
    "What happens at 12 metres?", "Is it a café?", "Count the flowers.", "Which logo is shown?", "Explain what you see.",
    "Are there any cars?", "What time of day is it?", "List 2 things in the frame.", "Does the cat follow the dog?",
]

PICTURES = ["shapes_168x112.png", "shapes_120x180.png", "grey_90x120.png", "rgba_130x87.png", "wide_500x30.png",
            "gradient_57x41.png", "tall_30x200.png", "checker_300x300.png", "noise_64x48.png"]


def user(*parts):
    return {"role": "user", "parts": list(parts)}


def bot(text):
    return {"role": "assistant", "parts": [{"text": text}]}


def im(name):
    return {"image": "../media/" + name}


def tx(text):
    return {"text": text}


def vid(name, frames, **kw):
    return {"video": "../media/" + name, "frames": frames, **kw}


Q = tx("{q}")


def one_image(name="one_image", picture="shapes_168x112.png", trace=False):
    return {"name": name, "trace": trace, "messages": [user(im(picture), Q)]}


def image_prompts(traced=("one_image",), odd=True):
    p = [
        one_image(),
        {"name": "two_images", "messages": [user(im("gradient_57x41.png"), tx("Compare this with "), im("rgba_130x87.png"), Q)]},
        {"name": "few_shot", "messages": [
            user(im("noise_64x48.png"), tx("What is it?")), bot("A red cat."),
            user(im("grey_90x120.png"), tx("What is it?")), bot("The blue house."),
            user(im("shapes_120x180.png"), Q)]},
        {"name": "text_only", "messages": [user(tx("Hello, 你好! "), Q)]},
        {"name": "multi_turn", "messages": [
            user(im("checker_300x300.png"), tx("What colour is it?")), bot("Black and white."), user(Q)]},
    ]
    if odd:
        p += [one_image("one_pixel", "one_1x1.png"), one_image("wide", "wide_500x30.png"), one_image("tall", "tall_30x200.png"),
              one_image("palette", "palette_48x48.png"),
              {"name": "image_last", "messages": [user(Q, im("shapes_120x180.png"))]}]
    for x in p:
        x["trace"] = x["name"] in traced
    return p


def video_prompts(traced=(), frames=4, only_file=False):
    """A directory of pictures is a video only to the NVILA code; the older code opens files."""
    p = [
        {"name": "video_frames", "messages": [user(vid("clip_frames", frames), Q)]},
        {"name": "video_file", "messages": [user(vid("clip.mp4", 6), Q)]},
    ][only_file:]
    for x in p:
        x["trace"] = x["name"] in traced
    return p


def fill(messages, question):
    m = copy.deepcopy(messages)
    for x in m:
        for p in x["parts"]:
            if "text" in p:
                p["text"] = p["text"].replace("{q}", question)
            elif p.get("image") == "../media/{p}":  # no question to vary: vary the picture
                p["image"] = "../media/" + PICTURES[QUESTIONS.index(question) % len(PICTURES)]
    return m
