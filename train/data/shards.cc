#include "train/data/shards.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "src/base/file.h"
#include "src/base/strings.h"
#include "train/data/marks.h"
#include "train/data/tar.h"

namespace galago::train {
namespace {

constexpr int64_t kMaxSamples = int64_t{1} << 40;
constexpr JsonLimits kMapLimits = {.max_bytes = size_t{1} << 30};

// A shard's members, read on first use by whichever thread comes first.
class Shard {
 public:
  Shard(std::filesystem::path path, std::filesystem::path recaptions)
      : path_(std::move(path)), recaptions_(std::move(recaptions)) {}

  const std::filesystem::path& path() const { return path_; }

  // OK, or why the shard or its captions cannot be read at all.
  Status Read() const {
    std::call_once(once_, [this] { status_ = ReadNow(); });
    return status_;
  }
  const std::vector<TarSample>& samples() const { return samples_; }
  const Status& damage() const { return index_.damage; }

  const TarMember& member(size_t i) const { return index_.members[i]; }
  std::span<const std::byte> bytes(const TarMember& member) const {
    return file_->bytes().subspan(member.offset, member.size);
  }
  std::string_view text(const TarMember& member) const {
    const auto view = bytes(member);
    return {reinterpret_cast<const char*>(view.data()), view.size()};
  }
  const std::shared_ptr<const MappedFile>& file() const { return file_; }
  // The new caption of a picture; nullptr if there is none.
  const std::string* Recaption(const std::string& url) const {
    const auto found = captions_.find(url);
    return found == captions_.end() ? nullptr : &found->second;
  }

 private:
  Status ReadNow() const {
    ASSIGN_OR_RETURN(file_, MappedFile::Open(path_));
    index_ = IndexTar(file_->bytes(), path_.string());
    samples_ = GroupByKey(index_);
    if (!index_.damage.ok() && !samples_.empty()) samples_.pop_back();  // the last one may lack members
    const std::filesystem::path map_path = recaptions_ / path_.filename().replace_extension(".json");
    std::error_code error;
    if (recaptions_.empty() || !std::filesystem::exists(map_path, error)) return OkStatus();
    ASSIGN_OR_RETURN(const Json map, ReadJsonFile(map_path, kMapLimits));
    if (!map.is_object()) return DataLoss(StrCat(map_path.string(), ": not a map of captions"));
    for (const auto& [url, entry] : map.items()) {
      ASSIGN_OR_RETURN(auto output, JsonString(entry, "output", map_path.string()));
      if (output) captions_[url] = *std::move(output);
    }
    return OkStatus();
  }

  const std::filesystem::path path_, recaptions_;
  mutable std::once_flag once_;
  mutable Status status_;
  mutable std::shared_ptr<const MappedFile> file_;
  mutable TarIndex index_;
  mutable std::vector<TarSample> samples_;
  mutable std::map<std::string, std::string> captions_;
};

bool IsPicture(std::string_view extension) {
  const std::string_view last = extension.substr(extension.rfind('.') + 1);
  return last == "jpg" || last == "jpeg" || last == "png" || last == "webp" || last == "bmp" || last == "gif" ||
         last == "tiff";
}
bool IsVideo(std::string_view extension) { return extension.ends_with("mp4"); }

// One sample of a shard to a record.
class SampleReader {
 public:
  SampleReader(const Shard& shard, const TarSample& sample, const ShardOptions& options)
      : shard_(shard), sample_(sample), options_(options) {}

  StatusOr<Record> Read(const std::string& source) {
    for (const size_t i : sample_.members) {
      const TarMember& member = shard_.member(i);
      const std::string extension = SampleExtension(member.name, sample_.key);
      if (extension == "json") {
        ASSIGN_OR_RETURN(json_, ParseJson(shard_.text(member), member.name));
      } else if (extension == "txt") {
        caption_ = shard_.text(member);
      } else if (IsPicture(extension) || IsVideo(extension)) {
        media_.push_back(MediumOf(member, IsVideo(extension) ? spec::MediaKind::kVideo : spec::MediaKind::kImage));
      }
    }
    if (JsonFind(json_, "conversations") != nullptr || JsonFind(json_, "text") != nullptr) return Conversation(source);
    return Caption(source);
  }

 private:
  Medium MediumOf(const TarMember& member, spec::MediaKind kind) const {
    return {.kind = kind,
            .from = EncodedMedium{shard_.file(), shard_.bytes(member)},
            .name = StrCat(shard_.path().string(), ": ", member.name)};
  }

  // The record names its media as members.
  StatusOr<Record> Conversation(const std::string& source) const {
    ASSIGN_OR_RETURN(Record record, ConversationRecord(json_, options_.conversation, source));
    for (Medium& medium : record.media) {
      const auto member = std::find_if(sample_.members.begin(), sample_.members.end(),
                                       [&](size_t i) { return shard_.member(i).name == medium.name; });
      if (member == sample_.members.end()) {
        return DataLoss(StrCat("names \"", Printable(medium.name), "\", which its sample in the shard lacks"));
      }
      medium = MediumOf(shard_.member(*member), medium.kind);
    }
    return record;
  }

  StatusOr<Record> Caption(const std::string& source) {
    std::string text(caption_);
    if (json_.is_object()) {
      ASSIGN_OR_RETURN(const auto in_json, JsonString(json_, "caption", source));
      if (in_json && text.empty()) text = *in_json;
      ASSIGN_OR_RETURN(const auto url, JsonString(json_, "url", source));
      const std::string* better = url ? shard_.Recaption(*url) : nullptr;
      if (better != nullptr) text = *better;
    }
    if (media_.empty()) return DataLoss("has no picture or video");
    if (WithoutMarks(text).empty()) return DataLoss("has no caption");
    Record record;
    record.style = media_.front().kind == spec::MediaKind::kVideo ? Style::kOpenEnd : Style::kCaption;
    record.source = source;
    record.max_tiles = options_.conversation.max_tiles;
    record.media = std::move(media_);
    record.turns = {{.role = text::Role::kUser, .parts = MediaInFront(record.media, text)}};
    for (text::Part& part : record.turns[0].parts) {
      if (auto* medium = std::get_if<text::MediaPart>(&part)) medium->placement = text::Placement::kInText;
    }
    return record;
  }

  const Shard& shard_;
  const TarSample& sample_;
  const ShardOptions& options_;
  Json json_;
  std::string_view caption_;
  std::vector<Medium> media_;
};

class ShardDataset : public Dataset {
 public:
  ShardDataset(std::vector<std::unique_ptr<Shard>> shards, std::vector<int64_t> counts, ShardOptions options,
               std::vector<std::string> warnings)
      : shards_(std::move(shards)), options_(std::move(options)), warnings_(std::move(warnings)) {
    int64_t total = 0;
    for (const int64_t count : counts) ends_.push_back(total += count);
    first_ = static_cast<int64_t>(options_.begin * static_cast<double>(total));
    count_ = static_cast<int64_t>(options_.end * static_cast<double>(total)) - first_;
  }

  int64_t size() const override { return (count_ + options_.samples_per_index - 1) / options_.samples_per_index; }

  StatusOr<std::vector<Record>> Get(int64_t i) const override {
    std::vector<Record> records;
    const int64_t begin = i * options_.samples_per_index;
    for (int64_t k = begin; k < std::min(begin + options_.samples_per_index, count_); ++k) {
      ASSIGN_OR_RETURN(records.emplace_back(), One(first_ + k));
    }
    return records;
  }

  std::string Source(int64_t i) const override {
    const auto [shard, local] = Locate(first_ + i * options_.samples_per_index);
    return StrCat(shards_[shard]->path().string(), ":", local);
  }

  std::vector<std::string> warnings() const override { return warnings_; }

 private:
  std::pair<size_t, int64_t> Locate(int64_t sample) const {
    const auto shard = static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), sample) - ends_.begin());
    return {shard, sample - (shard == 0 ? 0 : ends_[shard - 1])};
  }

  StatusOr<Record> One(int64_t index) const {
    const auto [which, local] = Locate(index);
    const Shard& shard = *shards_[which];
    RETURN_IF_ERROR(shard.Read());
    const std::vector<TarSample>& samples = shard.samples();
    if (local >= static_cast<int64_t>(samples.size())) {
      return DataLoss(StrCat(shard.path().string(), ": holds ", samples.size(), " samples, number ", local,
                             " was asked for",
                             shard.damage().ok() ? std::string() : StrCat("; ", MessageOf(shard.damage()))));
    }
    const TarSample& sample = samples[static_cast<size_t>(local)];
    const std::string source = StrCat(shard.path().string(), ":", sample.key);
    StatusOr<Record> record = SampleReader(shard, sample, options_).Read(source);
    return record.ok() ? std::move(record) : Annotate(record.status(), source);
  }

  const std::vector<std::unique_ptr<Shard>> shards_;
  const ShardOptions options_;
  const std::vector<std::string> warnings_;
  std::vector<int64_t> ends_;
  int64_t first_ = 0, count_ = 0;
};

struct Listed {
  std::string url;
  int64_t count = 0;
};

StatusOr<std::vector<Listed>> ReadMeta(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const Json meta, ReadJsonFile(path));
  const std::string what = path.string();
  ASSIGN_OR_RETURN(const auto version, JsonInt(meta, "wids_version", what, 0, 1000));
  if (version.value_or(1) != 1) return Unimplemented(StrCat(what, ": wids_version ", *version, ", known is 1"));
  const Json* list = JsonFind(meta, "shardlist");
  if (list == nullptr || !list->is_array()) return DataLoss(StrCat(what, ": has no \"shardlist\""));
  std::vector<Listed> shards;
  int64_t total = 0;
  for (const Json& item : *list) {
    ASSIGN_OR_RETURN(const auto url, JsonString(item, "url", what));
    ASSIGN_OR_RETURN(const auto count, JsonInt(item, "nsamples", what, 0, kMaxSamples));
    if (!url || !count) return DataLoss(StrCat(what, ": a shard lacks \"url\" or \"nsamples\""));
    total += *count;
    if (total > kMaxSamples) return OutOfRange(StrCat(what, ": more than ", kMaxSamples, " samples"));
    shards.push_back({*url, *count});
  }
  std::stable_sort(shards.begin(), shards.end(), [](const Listed& a, const Listed& b) { return a.url < b.url; });
  return shards;
}

}  // namespace

StatusOr<std::unique_ptr<const Dataset>> OpenShards(const std::filesystem::path& folder, const ShardOptions& options) {
  std::vector<std::unique_ptr<Shard>> shards;
  std::vector<int64_t> counts;
  std::vector<std::string> warnings;
  std::error_code error;
  if (const auto meta = folder / "wids-meta.json"; std::filesystem::exists(meta, error)) {
    ASSIGN_OR_RETURN(const std::vector<Listed> listed, ReadMeta(meta));
    for (const Listed& shard : listed) {
      shards.push_back(std::make_unique<Shard>(folder / shard.url, options.recaptions));
      counts.push_back(shard.count);
    }
  } else {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      if (entry.path().extension() == ".tar") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (std::filesystem::path& path : paths) {
      auto shard = std::make_unique<Shard>(std::move(path), options.recaptions);
      RETURN_IF_ERROR(shard->Read());
      if (!shard->damage().ok()) warnings.push_back(MessageOf(shard->damage()));
      counts.push_back(static_cast<int64_t>(shard->samples().size()));
      shards.push_back(std::move(shard));
    }
  }
  if (shards.empty()) return NotFound(StrCat(folder.string(), ": holds no shard"));
  return std::make_unique<ShardDataset>(std::move(shards), std::move(counts), options, std::move(warnings));
}

}  // namespace galago::train
