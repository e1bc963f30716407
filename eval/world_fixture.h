#ifndef GALAGO_EVAL_WORLD_FIXTURE_H_
#define GALAGO_EVAL_WORLD_FIXTURE_H_

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "src/base/base64.h"
#include "src/base/json.h"
#include "src/base/strings.h"

// A hand-made World directory of five records for tests: two pictures, a pair of pictures with marks in place, one
// video and one caption.
namespace galago::eval {

// A red PNG of one pixel.
inline constexpr unsigned char kTinyPng[] = {
    0x89, 'P',  'N',  'G', '\r', '\n', 0x1a, '\n', 0,    0,    0,    13,   'I',  'H',  'D',  'R', 0, 0,
    0,    1,    0,    0,   0,    1,    8,    2,    0,    0,    0,    0x90, 0x77, 0x53, 0xde, 0,   0, 0,
    12,   'I',  'D',  'A', 'T',  0x08, 0xd7, 0x63, 0xf8, 0xcf, 0xc0, 0,    0,    3,    1,    1,   0, 0x18,
    0xdd, 0x8d, 0xb0, 0,   0,    0,    0,    'I',  'E',  'N',  'D',  0xae, 0x42, 0x60, 0x82};

class WorldFixture {
 public:
  explicit WorldFixture(const std::filesystem::path& parent) : dir_(parent / StrCat("world_", ::getpid())) {
    namespace fs = std::filesystem;
    fs::create_directories(dir_ / "pictures");
    const std::string png(reinterpret_cast<const char*>(kTinyPng), sizeof(kTinyPng));
    for (const char* name : {"a.png", "b.png", "c.png"}) Write(StrCat("pictures/", name), png);
    Write("pictures/clip.mp4", "no real video");
    head_ = {{"format", "galago-world"},
             {"version", 1},
             {"split", "heldout"},
             {"seed", 1},
             {"tasks", {{"scenes", 2}, {"incontext", 1}, {"temporal", 1}, {"captions", 1}}}};
    scenes_ = {
        Record("scenes-000000", "a.png", {{"<image>\nWhat colour is it?", "red"}, {"How many?", "3"}},
               {{"colour", "exact"}, {"count", "relaxed"}}),
        Record("scenes-000001", "b.png", {{"<image>\nWhat colour is it?", "blue"}, {"What does it say?", "EXIT"}},
               {{"colour", "exact"}, {"title", "anls"}})};
    incontext_ = {Record("incontext-000000", "",
                         {{"<image> is lom. <image> is?", "tiv"}, {"And without examples?", "lom"}},
                         {{"4-shot", "exact"}, {"0-shot", "exact"}})};
    incontext_[0]["image"] = {"pictures/a.png", "pictures/b.png"};
    temporal_ = {Record("temporal-000000", "", {{"<video>\nWhen does it jump?", "<1.0> <3.0>"}}, {{"when", "time"}})};
    temporal_[0]["video"] = "pictures/clip.mp4";
    temporal_[0]["world"]["duration"] = 4.0;
    temporal_[0]["world"]["fps"] = 8.0;
    captions_ = {Record("captions-000000", "c.png", {{"<image>", "A red cube."}}, {{"caption", "exact"}})};
    WriteAll();
  }
  WorldFixture(const WorldFixture&) = delete;
  WorldFixture& operator=(const WorldFixture&) = delete;
  ~WorldFixture() { std::filesystem::remove_all(dir_); }

  const std::filesystem::path& dir() const { return dir_; }
  Json& head() { return head_; }
  Json& scenes() { return scenes_; }
  Json& incontext() { return incontext_; }
  Json& temporal() { return temporal_; }

  void Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(dir_ / name, std::ios::binary) << bytes;
  }
  // After a change to one of the documents.
  void WriteAll() const {
    Write("world.json", head_.dump());
    Write("scenes.json", scenes_.dump(1));
    Write("incontext.json", incontext_.dump(1));
    Write("temporal.json", temporal_.dump(1));
    Write("captions.json", captions_.dump(1));
  }

 private:
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  static Json Record(const std::string& id, const std::string& picture, const Pairs& turns, const Pairs& exchanges) {
    Json record = {{"id", id}};
    if (!picture.empty()) record["image"] = "pictures/" + picture;
    for (const auto& [question, answer] : turns) {
      record["conversations"].push_back({{"from", "human"}, {"value", question}});
      record["conversations"].push_back({{"from", "gpt"}, {"value", answer}});
    }
    for (const auto& [kind, metric] : exchanges) {
      record["world"]["exchanges"].push_back({{"kind", kind}, {"metric", metric}});
    }
    return record;
  }

  std::filesystem::path dir_;
  Json head_, scenes_, incontext_, temporal_, captions_;
};

}  // namespace galago::eval

#endif  // GALAGO_EVAL_WORLD_FIXTURE_H_
