#include "train/data/world_dataset.h"

#include <algorithm>
#include <utility>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/data/marks.h"
#include "train/data/resample_420.h"
#include "train/data/sequence.h"
#include "train/world/rng.h"

namespace galago::train {
namespace {

Medium ToMedium(world::Medium from, std::string name) {
  Medium out;
  out.name = std::move(name);
  if (auto* image = std::get_if<media::Image>(&from)) {
    out.from = std::move(*image);
    return out;
  }
  world::Clip& clip = std::get<world::Clip>(from);
  out.kind = spec::MediaKind::kVideo;
  for (media::Image& frame : clip.frames) Resample420(frame);
  out.from = FrameList{std::move(clip.frames), clip.fps};
  return out;
}

text::Turn UserTurn(std::vector<text::Part> parts) { return {.role = text::Role::kUser, .parts = std::move(parts)}; }
text::Turn AnswerTurn(std::string text) {
  return {.role = text::Role::kAssistant, .parts = {text::Part(std::move(text))}};
}

// A caption behind its picture, or a document whose marks are in the text.
StatusOr<Record> OneText(Record record, const world::Exchange& exchange) {
  record.style = Style::kCaption;
  size_t next = 0;
  std::vector<text::Part> parts;
  record.told = exchange.told;
  if (MarksLead(exchange.answer)) {
    parts = MediaInFront(record.media, exchange.answer);
    CHECK(record.told.empty() || std::get<std::string>(parts.back()) == exchange.answer);
    next = record.media.size();
  } else {
    ASSIGN_OR_RETURN(parts, MediaInPlace(record.media, exchange.answer, next));
  }
  if (next != record.media.size()) return DataLoss("has more pictures than marks");
  record.turns.push_back(UserTurn(std::move(parts)));
  return record;
}

// What is said about the media, without them.
void DropMedia(world::Sample& sample) {
  sample.media.clear();
  for (world::Exchange& exchange : sample.exchanges) {
    exchange.question = WithoutMarks(exchange.question);
    exchange.told.clear();  // without a picture all of it is text to learn
    exchange.answer = WithoutMarks(exchange.answer);
  }
}

// "a1 red circle. c2 t e." as the words of each cell of the task's pictures, row by row, "." where nothing is; and the
// letters whose centre lies in a part of a cell, part by part, "." for parts without one in a cell that has letters.
std::vector<std::vector<RowWord>> WordsOfRows(const world::Sample& sample) {
  constexpr size_t kAcross = 4;
  std::vector<std::vector<RowWord>> cells(kAcross * kAcross);
  std::vector<RowWord>* cell = nullptr;
  for (std::string& word : Split(sample.exchanges.front().answer, ' ')) {
    const bool last = word.ends_with('.');
    if (last) word.pop_back();
    if (word.empty()) continue;  // of a picture with nothing in it
    if (cell == nullptr) {
      const auto column = static_cast<size_t>(word.at(0) - 'a'), row = static_cast<size_t>(word.at(1) - '1');
      cell = &cells.at(row * kAcross + column);
    } else {
      cell->push_back({std::move(word)});
    }
    if (last) cell = nullptr;
  }
  const auto& picture = std::get<media::Image>(sample.media.front());
  // Parts that lie before `at`, of so many to a cell, on a side of so many pixels.
  const auto before = [](double at, int64_t side, size_t to_a_cell) {
    CHECK(at >= 0 && at < static_cast<double>(side));
    return static_cast<size_t>(at / static_cast<double>(side) * static_cast<double>(kAcross * to_a_cell));
  };
  for (const world::Letter& letter : sample.letters) {
    const size_t x = before(letter.x, picture.width, kCellPartsAcross);
    const size_t y = before(letter.y, picture.height, kCellPartsDown);
    const size_t part = y % kCellPartsDown * kCellPartsAcross + x % kCellPartsAcross + 1;
    cells.at(y / kCellPartsDown * kAcross + x / kCellPartsAcross).push_back({letter.text, static_cast<int32_t>(part)});
  }
  for (std::vector<RowWord>& words : cells) {
    const bool has_letters = std::ranges::any_of(words, [](const RowWord& word) { return word.part > 0; });
    for (int32_t part = 0; part <= (has_letters ? kCellParts : 0); ++part) {
      if (std::ranges::find(words, part, &RowWord::part) == words.end()) words.push_back({".", part});
    }
  }
  return cells;
}

class WorldDataset : public Dataset {
 public:
  WorldDataset(std::unique_ptr<const world::Task> task, const WorldOptions& options)
      : task_(std::move(task)), options_(options) {}

  int64_t size() const override { return options_.count; }

  StatusOr<std::vector<Record>> Get(int64_t i) const override {
    const auto index = static_cast<uint64_t>(options_.first + i);
    world::Sample sample = world::DrawSample(*task_, options_.split, options_.seed, index);
    if (options_.shuffle && sample.form != world::Form::kInterleaved) {
      world::Rng rng(world::MixSeed(options_.seed, StrCat(task_->name(), " order"), index));
      rng.Shuffle(sample.exchanges);
    }
    if (!options_.media) DropMedia(sample);
    std::vector<std::vector<RowWord>> row_words;
    if (options_.rows) {
      row_words = WordsOfRows(sample);
      sample.exchanges.front().answer.clear();
    }
    StatusOr<Record> record = WorldRecord(std::move(sample));
    if (!record.ok()) return Annotate(record.status(), Source(i));
    if (options_.rows) record->style = Style::kOpenEnd;  // no text follows, not even its end
    record->row_words = std::move(row_words);
    record->source = Source(i);
    std::vector<Record> out;
    out.push_back(*std::move(record));
    return out;
  }

  std::string Source(int64_t i) const override {
    return StrCat("world ", task_->name(), " ", world::Name(options_.split), " seed ", options_.seed, ":",
                  options_.first + i);
  }

 private:
  const std::unique_ptr<const world::Task> task_;
  const WorldOptions options_;
};

}  // namespace

StatusOr<Record> WorldRecord(world::Sample sample) {
  Record record;
  record.times = !sample.media.empty();
  for (size_t i = 0; i < sample.media.size(); ++i) {
    record.media.push_back(ToMedium(std::move(sample.media[i]), StrCat("medium ", i + 1)));
  }
  if (sample.exchanges.empty()) return DataLoss("has no exchange");
  if (sample.form == world::Form::kCaption || sample.form == world::Form::kDocument) {
    return OneText(std::move(record), sample.exchanges.front());
  }
  for (size_t i = 0; i < sample.exchanges.size(); ++i) {
    const world::Exchange& exchange = sample.exchanges[i];
    if (i > 0) {
      record.turns.push_back(UserTurn({text::Part(exchange.question)}));
    } else if (MarksLead(exchange.question)) {
      record.turns.push_back(UserTurn(MediaInFront(record.media, exchange.question)));
    } else {
      size_t next = 0;
      ASSIGN_OR_RETURN(std::vector<text::Part> parts, MediaInPlace(record.media, exchange.question, next));
      if (next != record.media.size()) {
        return DataLoss(StrCat("has ", next, " media marks for ", record.media.size(), " pictures"));
      }
      record.turns.push_back(UserTurn(std::move(parts)));
    }
    record.turns.push_back(AnswerTurn(exchange.answer));
  }
  return record;
}

std::unique_ptr<const Dataset> MakeWorldDataset(std::unique_ptr<const world::Task> task, const WorldOptions& options) {
  return std::make_unique<WorldDataset>(std::move(task), options);
}

}  // namespace galago::train
