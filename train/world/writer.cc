#include "train/world/writer.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/base/thread_pool.h"
#include "train/world/encode.h"
#include "train/world/file_output.h"
#include "train/world/sample_json.h"
#include "train/world/tar_shard.h"

namespace galago::world {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSamplesPerShard = 1000;
constexpr int64_t kSamplesPerStep = 64;
constexpr std::string_view kHead = "world.json";
// Stands in a directory that is being written, and makes an abandoned one ours to remove.
constexpr std::string_view kUnfinished = "unfinished";

std::string SixDigits(int64_t number) {
  char text[32];
  std::snprintf(text, sizeof(text), "%06lld", static_cast<long long>(number));
  return text;
}

// One sample as bytes: its record and the files of its media, named as the record names them.
struct File {
  std::string path;
  std::string bytes;
};
struct Encoded {
  Status status = OkStatus();
  Json record;
  std::string caption;  // of a caption pair
  std::vector<File> media;
  int64_t num_questions = 0;
};

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

Status MakeDirectories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error) return OkStatus();
  const std::string message = StrCat(path.string(), ": cannot make the directory: ", error.message());
  return error == std::errc::no_space_on_device ? ResourceExhausted(message) : Unavailable(message);
}

Status Rename(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  return error ? Unavailable(StrCat(from.string(), ": cannot rename to ", to.string(), ": ", error.message()))
               : OkStatus();
}

fs::path Beside(const fs::path& path, std::string_view suffix) { return fs::path(StrCat(path.string(), suffix)); }

// What stands at `out` may be an empty directory, or a World directory that is to be replaced.
Status CheckTarget(const fs::path& out, bool replace) {
  if (!Exists(out)) return OkStatus();
  std::error_code error;
  if (fs::is_directory(out, error) && fs::is_empty(out, error)) return OkStatus();
  if (!fs::is_directory(out, error) || !Exists(out / kHead)) {
    return InvalidArgument(StrCat(out.string(), ": exists and is no World directory; it is left alone"));
  }
  if (!replace) return InvalidArgument(StrCat(out.string(), ": exists; --force replaces it"));
  return OkStatus();
}

// The directory being written: removed again unless it is moved into place.
class PartialDirectory {
 public:
  static StatusOr<std::unique_ptr<PartialDirectory>> Make(const fs::path& out) {
    const fs::path path = Beside(out, ".partial");
    if (Exists(path)) {
      if (!Exists(path / kUnfinished)) {
        return InvalidArgument(StrCat(path.string(), ": is in the way and not ours; move or remove it"));
      }
      std::error_code error;
      fs::remove_all(path, error);  // what cannot be removed fails right below
    }
    RETURN_IF_ERROR(MakeDirectories(path));
    RETURN_IF_ERROR(WriteWhole(path / kUnfinished, "A World directory that is being written, or was abandoned.\n"));
    return std::unique_ptr<PartialDirectory>(new PartialDirectory(path));
  }
  PartialDirectory(const PartialDirectory&) = delete;
  PartialDirectory& operator=(const PartialDirectory&) = delete;
  ~PartialDirectory() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }

  // The older directory steps aside first, so that one of the two exists under its name or as OUT.old at any moment.
  Status MoveTo(const fs::path& out) {
    std::error_code error;
    fs::remove(path_ / kUnfinished, error);
    const fs::path old = Beside(out, ".old");
    const bool replaces = Exists(out);
    if (replaces) {
      if (Exists(old)) return InvalidArgument(StrCat(old.string(), ": is in the way; move or remove it"));
      RETURN_IF_ERROR(Rename(out, old));
    }
    if (Status status = Rename(path_, out); !status.ok()) {
      if (replaces) (void)Rename(old, out);
      return status;
    }
    path_.clear();
    if (replaces) fs::remove_all(old, error);
    return OkStatus();
  }

 private:
  explicit PartialDirectory(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

// Where the samples of one task go, in order.
class Sink {
 public:
  virtual ~Sink() = default;
  // Paths of the media of sample `index`; `extensions` are "png" and "mp4".
  virtual std::vector<std::string> Paths(int64_t index, std::span<const std::string_view> extensions) const = 0;
  // Called on any thread.
  virtual Status WriteMedia(std::vector<File>& media) const = 0;
  // Called in order.
  virtual Status Append(int64_t index, Encoded& sample) = 0;
  virtual Status Finish() = 0;
  int64_t num_bytes() const { return num_bytes_; }

 protected:
  int64_t num_bytes_ = 0;
};

class FileSink : public Sink {
 public:
  static StatusOr<std::unique_ptr<Sink>> Make(const fs::path& directory, const std::string& task) {
    ASSIGN_OR_RETURN(FileOutput records, FileOutput::Create(directory / StrCat(task, ".json")));
    RETURN_IF_ERROR(MakeDirectories(directory / "pictures" / task));
    RETURN_IF_ERROR(MakeDirectories(directory / "videos" / task));
    return std::unique_ptr<Sink>(new FileSink(directory, task, std::move(records)));
  }

  std::vector<std::string> Paths(int64_t index, std::span<const std::string_view> extensions) const override {
    std::vector<std::string> paths;
    for (const std::string_view extension : extensions) {
      const std::string_view folder = extension == "png" ? "pictures" : "videos";
      const std::string part = extensions.size() == 1 ? "" : StrCat("-", paths.size() + 1);
      paths.push_back(StrCat(folder, "/", task_, "/", SixDigits(index), part, ".", extension));
    }
    return paths;
  }

  Status WriteMedia(std::vector<File>& media) const override {
    for (File& file : media) RETURN_IF_ERROR(WriteWhole(directory_ / file.path, file.bytes));
    return OkStatus();
  }

  Status Append(int64_t index, Encoded& sample) override {
    for (const File& file : sample.media) num_bytes_ += static_cast<int64_t>(file.bytes.size());
    return Write(StrCat(index == 0 ? "[\n" : ",\n", sample.record.dump()));
  }

  Status Finish() override {
    RETURN_IF_ERROR(Write("\n]\n"));
    RETURN_IF_ERROR(records_.Close());
    // A task without pictures or without videos leaves no empty folder.
    for (const std::string_view folder : {"pictures", "videos"}) {
      std::error_code not_empty;
      fs::remove(directory_ / folder / task_, not_empty);
      fs::remove(directory_ / folder, not_empty);
    }
    return OkStatus();
  }

 private:
  FileSink(fs::path directory, std::string task, FileOutput records)
      : directory_(std::move(directory)), task_(std::move(task)), records_(std::move(records)) {}

  Status Write(const std::string& text) {
    num_bytes_ += static_cast<int64_t>(text.size());
    return records_.Append(text);
  }

  fs::path directory_;
  std::string task_;
  FileOutput records_;
};

// Webdataset: members KEY.png (or KEY.0.png, KEY.1.png), KEY.mp4, KEY.txt for captions, KEY.json with the record.
class ShardSink : public Sink {
 public:
  static StatusOr<std::unique_ptr<Sink>> Make(const fs::path& directory, const std::string& task) {
    RETURN_IF_ERROR(MakeDirectories(directory / task));
    return std::unique_ptr<Sink>(new ShardSink(directory, task));
  }

  std::vector<std::string> Paths(int64_t index, std::span<const std::string_view> extensions) const override {
    std::vector<std::string> paths;
    for (const std::string_view extension : extensions) {
      const std::string part = extensions.size() == 1 ? "" : StrCat(".", paths.size());
      paths.push_back(StrCat(SixDigits(index), part, ".", extension));
    }
    return paths;
  }

  Status WriteMedia(std::vector<File>& /*media*/) const override { return OkStatus(); }

  Status Append(int64_t index, Encoded& sample) override {
    if (index % kSamplesPerShard == 0) {
      RETURN_IF_ERROR(EndShard());
      const std::string name = StrCat("shard-", SixDigits(index / kSamplesPerShard), ".tar");
      ASSIGN_OR_RETURN(FileOutput shard, FileOutput::Create(directory_ / task_ / name));
      shard_.emplace(std::move(shard));
      list_.push_back({{"url", name}, {"nsamples", 0}, {"filesize", 0}});
    }
    const std::string key = SixDigits(index);
    for (const File& file : sample.media) RETURN_IF_ERROR(Write(TarMember(file.path, file.bytes)));
    if (!sample.caption.empty()) RETURN_IF_ERROR(Write(TarMember(StrCat(key, ".txt"), sample.caption)));
    sample.record["url"] = StrCat("galago-world:", task_, "/", key);
    RETURN_IF_ERROR(Write(TarMember(StrCat(key, ".json"), sample.record.dump())));
    list_.back()["nsamples"] = index % kSamplesPerShard + 1;
    return OkStatus();
  }

  Status Finish() override {
    RETURN_IF_ERROR(EndShard());
    const Json meta = {{"name", StrCat("galago-world-", task_)}, {"wids_version", 1}, {"shardlist", list_}};
    return WriteWhole(directory_ / task_ / "wids-meta.json", meta.dump(2) + "\n");
  }

 private:
  ShardSink(fs::path directory, std::string task) : directory_(std::move(directory)), task_(std::move(task)) {}

  Status Write(const std::string& bytes) {
    num_bytes_ += static_cast<int64_t>(bytes.size());
    return shard_->Append(bytes);
  }

  Status EndShard() {
    if (!shard_) return OkStatus();
    RETURN_IF_ERROR(Write(TarEnd()));
    list_.back()["filesize"] = shard_->size();
    Status status = shard_->Close();
    shard_.reset();
    return status;
  }

  fs::path directory_;
  std::string task_;
  std::optional<FileOutput> shard_;
  Json list_ = Json::array();
};

Encoded Encode(const Task& task, const Plan& plan, int64_t index, const Sink& sink) {
  const Sample sample = DrawSample(task, plan.split, plan.seed, static_cast<uint64_t>(index));
  std::vector<std::string_view> extensions;
  for (const Medium& medium : sample.media) {
    extensions.emplace_back(std::holds_alternative<Clip>(medium) ? "mp4" : "png");
  }
  const std::vector<std::string> paths = sink.Paths(index, extensions);
  Encoded out;
  for (size_t i = 0; i < sample.media.size(); ++i) {
    if (const auto* image = std::get_if<media::Image>(&sample.media[i])) {
      out.media.push_back({paths[i], EncodePng(*image)});
      continue;
    }
    StatusOr<std::string> video = EncodeMp4(std::get<Clip>(sample.media[i]));
    if (!video.ok()) {
      out.status = video.status();
      return out;
    }
    out.media.push_back({paths[i], *std::move(video)});
  }
  out.record = RecordJson(sample, StrCat(task.name(), "-", SixDigits(index)), paths);
  if (sample.form == Form::kCaption) out.caption = sample.exchanges.front().answer;
  for (const Exchange& exchange : sample.exchanges) out.num_questions += exchange.question.empty() ? 0 : 1;
  out.status = sink.WriteMedia(out.media);
  return out;
}

class Writer {
 public:
  Writer(const Plan& plan, const WriteOptions& options) : plan_(plan), options_(options), pool_(options.jobs) {
    for (const TaskCount& task : plan.tasks) progress_.total += task.count;
  }

  Status WriteTask(const Task& task, int64_t count, const fs::path& directory) {
    const std::string name(task.name());
    ASSIGN_OR_RETURN(const std::unique_ptr<Sink> sink, options_.layout == Layout::kFiles
                                                           ? FileSink::Make(directory, name)
                                                           : ShardSink::Make(directory, name));
    const int64_t bytes_before = summary_.num_bytes;
    progress_.task = name;
    RETURN_IF_ERROR(Report());
    for (int64_t first = 0; first < count; first += kSamplesPerStep) {
      std::vector<Encoded> step(static_cast<size_t>(std::min(kSamplesPerStep, count - first)));
      pool_.ParallelFor(static_cast<int64_t>(step.size()),
                        [&](int64_t i) { step[static_cast<size_t>(i)] = Encode(task, plan_, first + i, *sink); });
      for (size_t i = 0; i < step.size(); ++i) {
        RETURN_IF_ERROR(step[i].status);
        RETURN_IF_ERROR(sink->Append(first + static_cast<int64_t>(i), step[i]));
        summary_.num_questions += step[i].num_questions;
        ++summary_.num_samples;
      }
      summary_.num_bytes = bytes_before + sink->num_bytes();
      progress_.done = summary_.num_samples;
      progress_.num_bytes = summary_.num_bytes;
      RETURN_IF_ERROR(Report());
    }
    return sink->Finish();
  }

  const WriteSummary& summary() const { return summary_; }

 private:
  Status Report() const {
    const bool go_on = !options_.on_progress || options_.on_progress(progress_);
    return go_on ? OkStatus() : Cancelled("stopped; nothing was written");
  }

  const Plan& plan_;
  const WriteOptions& options_;
  ThreadPool pool_;
  Progress progress_;
  WriteSummary summary_;
};

Status WriteHead(const Plan& plan, Layout layout, const fs::path& directory) {
  Json head = {{"format", kWorldFormat},
               {"version", kWorldVersion},
               {"split", Name(plan.split)},
               {"seed", plan.seed},
               {"layout", layout == Layout::kFiles ? "files" : "shards"},
               {"tasks", Json::object()}};
  for (const TaskCount& task : plan.tasks) head["tasks"][task.task] = task.count;
  return WriteWhole(directory / kHead, head.dump(2) + "\n");
}

}  // namespace

StatusOr<WriteSummary> WriteWorld(const Plan& plan, const std::filesystem::path& out, const WriteOptions& options) {
  // "OUT/" and "OUT" name the same directory; names beside it are made from the latter.
  const fs::path target = out.has_filename() ? out : out.parent_path();
  if (target.empty()) return InvalidArgument("the World directory has no name");
  RETURN_IF_ERROR(CheckTarget(target, options.replace));
  // All tasks are made before anything is written: a missing package should not cost minutes.
  std::vector<std::unique_ptr<const Task>> tasks;
  for (const TaskCount& task : plan.tasks) {
    ASSIGN_OR_RETURN(tasks.emplace_back(), MakeTask(task.task, options.assets));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<PartialDirectory> partial, PartialDirectory::Make(target));
  Writer writer(plan, options);
  for (size_t i = 0; i < tasks.size(); ++i) {
    RETURN_IF_ERROR(writer.WriteTask(*tasks[i], plan.tasks[i].count, partial->path()));
  }
  RETURN_IF_ERROR(WriteHead(plan, options.layout, partial->path()));
  RETURN_IF_ERROR(partial->MoveTo(target));
  return writer.summary();
}

}  // namespace galago::world
