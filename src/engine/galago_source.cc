#include "src/engine/galago_source.h"

#include <algorithm>
#include <limits>
#include <system_error>

#include "src/base/file.h"
#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/engine/gguf_source.h"

namespace galago::engine {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFile = size_t{128} << 20;
constexpr JsonLimits kFactLimits = {.max_bytes = kMaxFile, .max_depth = 8};
constexpr std::string_view kGgufFile = "gguf.json";
constexpr std::string_view kMmprojFile = "mmproj.json";
constexpr std::string_view kVocabFile = "vocabulary.json";

// The stored files under a prefix ("llm/") as the parsers ask for them.
class StoredFiles : public spec::FileSource {
 public:
  StoredFiles(const io::GalagoFile& file, std::string prefix) : file_(file), prefix_(std::move(prefix)) {}
  bool Exists(std::string_view name) const override {
    const std::string full = StrCat(prefix_, name);
    if (file_.files().contains(full)) return true;
    // A folder exists where a file in it does.
    const auto it = file_.files().lower_bound(full + "/");
    return it != file_.files().end() && it->first.starts_with(full + "/");
  }
  StatusOr<std::string> Read(std::string_view name) const override {
    const auto it = file_.files().find(StrCat(prefix_, name));
    if (it == file_.files().end()) return NotFound(StrCat(NameOf(name), ": is not in the file"));
    return std::string(it->second);
  }
  std::string NameOf(std::string_view name) const override { return StrCat(file_.name(), ": ", prefix_, name); }

 private:
  const io::GalagoFile& file_;
  std::string prefix_;
};

// ------------------------------------------------------------------------------------------------- GGUF facts as JSON

Json ToJson(const spec::GgufFacts& facts) {
  Json metadata = Json::object();
  for (const auto& [key, value] : facts.metadata) metadata[key] = value;
  Json tensors = Json::object();
  for (const auto& [name, dims] : facts.tensors) tensors[name] = dims;
  return {{"metadata", std::move(metadata)}, {"tensors", std::move(tensors)}};
}

StatusOr<spec::GgufFacts> FactsFromJson(const Json& json, const fs::path& path, std::string_view what) {
  spec::GgufFacts facts;
  facts.path = path;
  const Json* metadata = JsonFind(json, "metadata");
  const Json* tensors = JsonFind(json, "tensors");
  if (metadata == nullptr || !metadata->is_object() || tensors == nullptr || !tensors->is_object()) {
    return DataLoss(StrCat(what, ": has no metadata and tensors"));
  }
  for (const auto& [key, value] : metadata->get_ref<const Json::object_t&>()) facts.metadata.emplace(key, value);
  for (const auto& [name, dims] : tensors->get_ref<const Json::object_t&>()) {
    std::vector<int64_t> shape;
    if (!dims.is_array()) return DataLoss(StrCat(what, ": ", Printable(name, 200), " has no shape"));
    for (const Json& dim : dims) {
      // As large as io admits.
      if (!dim.is_number_unsigned() || dim.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
        return DataLoss(StrCat(what, ": the shape of ", Printable(name, 200), " is not of whole numbers"));
      }
      shape.push_back(dim.get<int64_t>());
    }
    facts.tensors.emplace(name, std::move(shape));
  }
  return facts;
}

// --------------------------------------------------------------------------------------------------------- vocabulary
// Tokens of a vocabulary need not be UTF-8, which JSON must be: each byte is stored as the character of its number.

std::string AsCharacters(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    if (value < 0x80) {
      text += byte;
    } else {
      text += static_cast<char>(0xc0 | value >> 6);
      text += static_cast<char>(0x80 | (value & 0x3f));
    }
  }
  return text;
}

std::optional<std::string> AsBytes(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto value = static_cast<unsigned char>(text[i]);
    if (value < 0x80) {
      bytes += text[i];
    } else if ((value == 0xc2 || value == 0xc3) && i + 1 < text.size()) {
      bytes += static_cast<char>((value & 3) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f));
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

template <class T>
void PutIfSet(Json& json, std::string_view key, const std::optional<T>& value) {
  if (value) json[std::string(key)] = *value;
}

Json ToJson(const text::GgufVocab& vocab) {
  const auto encoded = [](const std::vector<std::string>& texts) {
    Json list = Json::array();
    for (const std::string& text : texts) list.push_back(AsCharacters(text));
    return list;
  };
  Json json = {{"model", vocab.model},
               {"pre", vocab.pre},
               {"tokens", encoded(vocab.tokens)},
               {"scores", vocab.scores},
               {"token_types", vocab.token_types},
               {"merges", encoded(vocab.merges)}};
  PutIfSet(json, "bos_id", vocab.bos_id);
  PutIfSet(json, "eos_id", vocab.eos_id);
  PutIfSet(json, "unk_id", vocab.unk_id);
  PutIfSet(json, "pad_id", vocab.pad_id);
  PutIfSet(json, "add_bos", vocab.add_bos);
  PutIfSet(json, "add_eos", vocab.add_eos);
  PutIfSet(json, "add_space_prefix", vocab.add_space_prefix);
  return json;
}

StatusOr<std::vector<std::string>> Texts(const Json& json, std::string_view key, std::string_view what) {
  const Json* list = JsonFind(json, key);
  if (list == nullptr || !list->is_array()) return DataLoss(StrCat(what, ": has no list ", key));
  std::vector<std::string> texts;
  for (const Json& item : *list) {
    const auto* encoded = item.get_ptr<const std::string*>();
    if (encoded == nullptr) return DataLoss(StrCat(what, ": ", key, " holds what is no text"));
    auto bytes = AsBytes(*encoded);
    if (!bytes) return DataLoss(StrCat(what, ": ", key, " holds a character beyond U+00FF"));
    texts.push_back(*std::move(bytes));
  }
  return texts;
}

StatusOr<std::optional<int32_t>> Id(const Json& json, std::string_view key, std::string_view what) {
  ASSIGN_OR_RETURN(const auto id, JsonInt(json, key, what, 0, std::numeric_limits<int32_t>::max()));
  return id ? std::optional<int32_t>(static_cast<int32_t>(*id)) : std::nullopt;
}

StatusOr<text::GgufVocab> VocabFromJson(const Json& json, std::string_view what) {
  text::GgufVocab vocab;
  ASSIGN_OR_RETURN(const auto model, JsonString(json, "model", what));
  ASSIGN_OR_RETURN(const auto pre, JsonString(json, "pre", what));
  vocab.model = model.value_or("");
  vocab.pre = pre.value_or("default");
  ASSIGN_OR_RETURN(vocab.tokens, Texts(json, "tokens", what));
  ASSIGN_OR_RETURN(vocab.merges, Texts(json, "merges", what));
  for (const std::string_view key : {"scores", "token_types"}) {
    const Json* list = JsonFind(json, key);
    if (list == nullptr || !list->is_array()) return DataLoss(StrCat(what, ": has no list ", key));
    for (const Json& item : *list) {
      if (!item.is_number()) return DataLoss(StrCat(what, ": ", key, " holds what is no number"));
      if (key == "scores") {
        vocab.scores.push_back(item.get<float>());
      } else {
        vocab.token_types.push_back(static_cast<int32_t>(std::clamp(item.get<double>(), -1.0, 1000.0)));
      }
    }
  }
  ASSIGN_OR_RETURN(vocab.bos_id, Id(json, "bos_id", what));
  ASSIGN_OR_RETURN(vocab.eos_id, Id(json, "eos_id", what));
  ASSIGN_OR_RETURN(vocab.unk_id, Id(json, "unk_id", what));
  ASSIGN_OR_RETURN(vocab.pad_id, Id(json, "pad_id", what));
  ASSIGN_OR_RETURN(vocab.add_bos, JsonBool(json, "add_bos", what));
  ASSIGN_OR_RETURN(vocab.add_eos, JsonBool(json, "add_eos", what));
  ASSIGN_OR_RETURN(vocab.add_space_prefix, JsonBool(json, "add_space_prefix", what));
  return vocab;
}

StatusOr<Json> ReadJson(const StoredFiles& files, std::string_view name) {
  ASSIGN_OR_RETURN(const std::string text, files.Read(name));
  return ParseJson(text, files.NameOf(name), kFactLimits);
}

StatusOr<SpecAndTokenizer> ReadGgufModel(const StoredFiles& files, const fs::path& path,
                                         const spec::ParseOptions& options) {
  ASSIGN_OR_RETURN(const Json language, ReadJson(files, kGgufFile));
  ASSIGN_OR_RETURN(const spec::GgufFacts facts, FactsFromJson(language, path, files.NameOf(kGgufFile)));
  SpecAndTokenizer out;
  if (files.Exists(kMmprojFile)) {
    ASSIGN_OR_RETURN(const Json mmproj, ReadJson(files, kMmprojFile));
    ASSIGN_OR_RETURN(const spec::GgufFacts mmproj_facts, FactsFromJson(mmproj, path, files.NameOf(kMmprojFile)));
    ASSIGN_OR_RETURN(out.spec, spec::ParseGguf(facts, &mmproj_facts, options));
  } else {
    ASSIGN_OR_RETURN(out.spec, spec::ParseGguf(facts, nullptr, options));
  }
  ASSIGN_OR_RETURN(const Json vocabulary, ReadJson(files, kVocabFile));
  ASSIGN_OR_RETURN(text::GgufVocab vocab, VocabFromJson(vocabulary, files.NameOf(kVocabFile)));
  ASSIGN_OR_RETURN(out.tokenizer, text::MakeGgufTokenizer(std::move(vocab)));
  return out;
}

// What configs, tokenizers and templates are stored in.
bool IsSmallFile(const fs::path& file) {
  const std::string name = file.filename().string();
  if (name.ends_with(".index.json") || name.starts_with("trainer_state")) return false;
  const std::string extension = file.extension().string();
  return extension == ".json" || extension == ".txt" || extension == ".model" || extension == ".jinja";
}

}  // namespace

StatusOr<SpecAndTokenizer> ReadGalago(const io::GalagoFile& file, const fs::path& path,
                                      const spec::ParseOptions& options) {
  ASSIGN_OR_RETURN(const Json facts, ParseJson(file.facts(), StrCat(file.name(), ": galago.facts"), {.max_depth = 4}));
  ASSIGN_OR_RETURN(const auto source, JsonString(facts, "source", file.name()));
  const StoredFiles files(file, "");
  SpecAndTokenizer out;
  if (source == "gguf") {
    ASSIGN_OR_RETURN(out, ReadGgufModel(files, path, options));
  } else if (source == "directory") {
    ASSIGN_OR_RETURN(out.spec, spec::ParseFiles(files, path, options));
    const fs::path folder = out.spec.tokenizer.directory.lexically_relative(path);
    const std::string prefix = folder.empty() || folder == "." ? std::string() : folder.generic_string() + "/";
    ASSIGN_OR_RETURN(out.tokenizer, text::LoadTokenizer(out.spec.tokenizer, StoredFiles(file, prefix)));
  } else {
    return DataLoss(StrCat(file.name(), ": galago.facts names no source we know"));
  }
  out.spec.layout = spec::Layout::kGalago;
  out.spec.path = path;
  out.spec.mmproj.clear();
  out.spec.weight_bytes = file.tensor_bytes();
  return out;
}

namespace {

StatusOr<GalagoTexts> TextsOfDirectory(const fs::path& directory) {
  GalagoTexts out;
  out.facts = Json({{"source", "directory"}}).dump();
  std::error_code error;
  fs::recursive_directory_iterator it(directory, error);
  for (const fs::recursive_directory_iterator end; !error && it != end; it.increment(error)) {
    if (it.depth() > 1) it.disable_recursion_pending();
    const std::string name = it->path().lexically_relative(directory).generic_string();
    std::error_code ignored;
    if (it->is_directory(ignored)) {
      out.files[name + "/.folder"] = "";  // parsers ask whether it is there
    } else if (it->is_regular_file(ignored) && IsSmallFile(it->path()) && it->file_size(ignored) <= kMaxFile) {
      ASSIGN_OR_RETURN(out.files[name], ReadFile(it->path(), kMaxFile));
    }
  }
  if (error) return Unavailable(StrCat(directory.string(), ": cannot list: ", error.message()));
  return out;
}

StatusOr<GalagoTexts> TextsOfGguf(const spec::GgufFacts& language, const spec::GgufFacts* mmproj,
                                  const text::GgufVocab& vocab) {
  GalagoTexts out;
  out.facts = Json({{"source", "gguf"}}).dump();
  try {
    out.files[std::string(kGgufFile)] = ToJson(language).dump();
    if (mmproj != nullptr) out.files[std::string(kMmprojFile)] = ToJson(*mmproj).dump();
    out.files[std::string(kVocabFile)] = ToJson(vocab).dump();
  } catch (const nlohmann::json::exception&) {  // the only cause
    return DataLoss(StrCat(language.path.string(), ": a metadata value is not UTF-8"));
  }
  return out;
}

}  // namespace

StatusOr<GalagoTexts> GalagoTextsOf(const spec::ModelSpec& spec) {
  if (spec.layout != spec::Layout::kGguf) return TextsOfDirectory(spec.path);
  ASSIGN_OR_RETURN(const io::GgufFile file, io::GgufFile::Open(spec.path));
  ASSIGN_OR_RETURN(const spec::GgufFacts facts, FactsOf(file, spec.path));
  ASSIGN_OR_RETURN(const text::GgufVocab vocab, VocabOf(file));
  if (spec.mmproj.empty()) return TextsOfGguf(facts, nullptr, vocab);
  ASSIGN_OR_RETURN(const io::GgufFile mmproj, io::GgufFile::Open(spec.mmproj));
  ASSIGN_OR_RETURN(const spec::GgufFacts mmproj_facts, FactsOf(mmproj, spec.mmproj));
  return TextsOfGguf(facts, &mmproj_facts, vocab);
}

}  // namespace galago::engine
