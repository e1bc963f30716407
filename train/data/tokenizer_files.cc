#include "train/data/tokenizer_files.h"

#include <vector>

#include "src/base/file.h"
#include "src/base/json.h"
#include "src/base/strings.h"

namespace galago::train {
namespace {

// QwenLM/Qwen2: tokenizer.json, "pre_tokenizer".
constexpr std::string_view kSplit =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kChatTemplate =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + "
    "'\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
constexpr std::string_view kEnd = "<|im_end|>";
constexpr std::string_view kPad = "[PAD]";

struct Added {
  std::string content;
  bool special = true;
};

std::vector<Added> AddedTokens(const TokenizerFileOptions& options) {
  std::vector<Added> out;
  for (const std::string_view token :
       {std::string_view("<|endoftext|>"), std::string_view("<|im_start|>"), kEnd, kPad,
        std::string_view("<vila/sentinel>"), std::string_view("<image>"), std::string_view("<vila/video>")}) {
    out.push_back({std::string(token)});
  }
  for (int64_t t = 0; t < options.num_time_tokens; ++t) out.push_back({StrCat("<t", t, ">"), false});
  return out;
}

Json AddedJson(const Added& token) {
  return {{"content", token.content}, {"lstrip", false},      {"normalized", false},
          {"rstrip", false},          {"single_word", false}, {"special", token.special}};
}

Json ByteLevel(bool trim_offsets) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", trim_offsets}, {"use_regex", false}};
}

std::string Pretty(const Json& json) { return json.dump(1) + "\n"; }

}  // namespace

int64_t NumAddedTokens(const TokenizerFileOptions& options) {
  return static_cast<int64_t>(AddedTokens(options).size());
}

std::map<std::string, std::string> TokenizerFiles(const BpeVocab& vocab, const TokenizerFileOptions& options) {
  Json ids = Json::object();
  for (size_t id = 0; id < vocab.tokens.size(); ++id) ids[vocab.tokens[id]] = id;
  Json merges = Json::array();
  std::string merges_txt = "#version: 0.2\n";
  for (const auto& [left, right] : vocab.merges) {
    merges.push_back(StrCat(left, " ", right));
    merges_txt += StrCat(left, " ", right, "\n");
  }
  Json added = Json::array();
  Json decoder = Json::object();
  size_t id = vocab.tokens.size();
  for (const Added& token : AddedTokens(options)) {
    decoder[StrCat(id)] = AddedJson(token);
    Json entry = {{"id", id++}};
    entry.update(AddedJson(token));
    added.push_back(std::move(entry));
  }
  const Json split = {
      {"type", "Split"}, {"pattern", {{"Regex", std::string(kSplit)}}}, {"behavior", "Isolated"}, {"invert", false}};
  const Json tokenizer = {
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", std::move(added)},
      {"normalizer", {{"type", "NFC"}}},
      {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", Json::array({split, ByteLevel(false)})}}},
      {"post_processor", ByteLevel(false)},
      {"decoder", ByteLevel(false)},
      {"model",
       {{"type", "BPE"},
        {"dropout", nullptr},
        {"unk_token", nullptr},
        {"continuing_subword_prefix", nullptr},
        {"end_of_word_suffix", nullptr},
        {"fuse_unk", false},
        {"byte_fallback", false},
        {"ignore_merges", vocab.whole_words},
        {"vocab", ids},
        {"merges", std::move(merges)}}}};
  const Json config = {{"add_prefix_space", false},
                       {"added_tokens_decoder", std::move(decoder)},
                       {"additional_special_tokens", {"<|im_start|>", "<vila/sentinel>", "<image>", "<vila/video>"}},
                       {"bos_token", nullptr},
                       {"chat_template", std::string(kChatTemplate)},
                       {"clean_up_tokenization_spaces", false},
                       {"eos_token", std::string(kEnd)},
                       {"errors", "replace"},
                       {"model_max_length", options.model_max_length},
                       {"pad_token", std::string(kPad)},
                       {"padding_side", "right"},
                       {"split_special_tokens", false},
                       // The class that takes tokenizer.json as it is: Qwen2's would forget "ignore_merges" where it is
                       // rebuilt from vocab.json and merges.txt.
                       {"tokenizer_class", vocab.whole_words ? "PreTrainedTokenizerFast" : "Qwen2Tokenizer"},
                       {"unk_token", nullptr}};
  const Json special = {{"additional_special_tokens", {"<|im_start|>", "<vila/sentinel>", "<image>", "<vila/video>"}},
                        {"eos_token", std::string(kEnd)},
                        {"pad_token", std::string(kPad)}};
  return {{"tokenizer.json", Pretty(tokenizer)},
          {"vocab.json", Pretty(ids)},
          {"merges.txt", std::move(merges_txt)},
          {"tokenizer_config.json", Pretty(config)},
          {"special_tokens_map.json", Pretty(special)}};
}

Status WriteTokenizer(const BpeVocab& vocab, const TokenizerFileOptions& options, const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Unavailable(StrCat(folder.string(), ": cannot be made: ", error.message()));
  for (const auto& [name, contents] : TokenizerFiles(vocab, options)) {
    RETURN_IF_ERROR(WriteFileAtomically(folder / name, contents));
  }
  return OkStatus();
}

}  // namespace galago::train
