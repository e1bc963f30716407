#include <charconv>

#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/text/bpe_model.h"
#include "src/text/sentencepiece_file.h"
#include "src/text/tokenizer_files.h"
#include "src/text/tokenizer_parts.h"

namespace galago::text {
namespace {

constexpr size_t kMaxVocabFile = size_t{128} << 20;

}  // namespace

StatusOr<std::unique_ptr<Tokenizer>> MakeSentencePieceTokenizer(std::string_view model, const SideFiles& side,
                                                                const SentencePieceOptions& options) {
  ASSIGN_OR_RETURN(SentencePieceFile file, ParseSentencePieceFile(model));
  ASSIGN_OR_RETURN(const SideSettings settings, ParseSideFiles(side, {.bos = "<s>", .eos = "</s>", .unk = "<unk>"}));
  auto parts = std::make_unique<Tokenizer::Parts>();
  parts->decode_style = DecodeStyle::kSentencePiece;
  parts->normalizing = Normalizing::kFirst;
  parts->byte_pieces = file.byte_fallback;
  parts->decodes_as_slow_llama = true;
  for (size_t i = 0; i < file.pieces.size(); ++i) {
    RETURN_IF_ERROR(Annotate(parts->vocab.Add(file.pieces[i].text, static_cast<int64_t>(i)), "tokenizer.model"));
  }
  RETURN_IF_ERROR(parts->AddFrom(settings));
  // After AddFrom: control pieces that no setting names are still never text.
  for (size_t i = 0; i < file.pieces.size(); ++i) {
    const PieceType type = file.pieces[i].type;
    if (type == PieceType::kControl || type == PieceType::kUnknown) parts->special.insert(static_cast<int32_t>(i));
  }
  const std::vector<int32_t> keep_out(parts->special.begin(), parts->special.end());
  auto spm = SpmModel::Make(file.pieces, {.byte_fallback = file.byte_fallback}, keep_out);
  if (!spm.ok()) return Annotate(spm.status(), "tokenizer.model");
  parts->model = std::make_unique<SpmModel>(*std::move(spm));
  parts->space_prefix = !options.legacy         ? SpacePrefix::kTextStart
                        : file.add_dummy_prefix ? SpacePrefix::kEveryStretch
                                                : SpacePrefix::kNone;
  parts->no_prefix_before_tokens = options.fast;
  if (options.add_bos_token && parts->bos_id) parts->before = {*parts->bos_id};
  if (settings.add_eos_token && parts->eos_id) parts->after = {*parts->eos_id};
  return std::make_unique<Tokenizer>(std::move(parts));
}

StatusOr<std::unique_ptr<Tokenizer>> MakeVocabMergesTokenizer(std::string_view vocab_json, std::string_view merges_txt,
                                                              const SideFiles& side) {
  ASSIGN_OR_RETURN(const Json vocab, ParseJson(vocab_json, "vocab.json", {.max_bytes = kMaxVocabFile}));
  if (!vocab.is_object()) return DataLoss("vocab.json is not an object");
  auto parts = std::make_unique<Tokenizer::Parts>();
  for (const auto& [spelling, id] : vocab.get_ref<const Json::object_t&>()) {
    if (!id.is_number_integer())
      return DataLoss(StrCat("vocab.json: \"", Printable(spelling), "\" has no whole number"));
    RETURN_IF_ERROR(Annotate(parts->vocab.Add(spelling, id.get<int64_t>()), "vocab.json"));
  }
  constexpr std::string_view kEnd = "<|endoftext|>";
  ASSIGN_OR_RETURN(
      const SideSettings settings,
      ParseSideFiles(side, {.eos = std::string(kEnd), .unk = std::string(kEnd), .pad = std::string(kEnd)}));
  RETURN_IF_ERROR(parts->AddFrom(settings));
  parts->normalization = Normalization::kNfc;
  parts->normalizing = Normalizing::kFirst;
  ASSIGN_OR_RETURN(parts->pre_tokenizer, PreTokenizer::Qwen2());

  auto model = std::make_unique<BpeModel>(parts->vocab, /*ignore_merges=*/false, parts->unk_id);
  size_t line_number = 0;
  for (std::string_view rest = merges_txt; !rest.empty();) {
    const size_t end = rest.find('\n');
    const std::string_view line = Trim(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (++line_number == 1 && line.starts_with("#version:")) continue;
    if (line.empty()) continue;
    const size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
      return DataLoss(StrCat("merges.txt: line ", line_number, " is not two tokens: \"", Printable(line), "\""));
    }
    RETURN_IF_ERROR(Annotate(model->AddMerge(line.substr(0, space), line.substr(space + 1), BpeModel::Missing::kFail),
                             StrCat("merges.txt: line ", line_number)));
  }
  parts->model = std::move(model);
  return std::make_unique<Tokenizer>(std::move(parts));
}

StatusOr<std::unique_ptr<Tokenizer>> LoadTokenizer(const spec::TokenizerSpec& spec) {
  return LoadTokenizer(spec, *spec::FilesBelow(spec.directory));
}

StatusOr<std::unique_ptr<Tokenizer>> LoadTokenizer(const spec::TokenizerSpec& spec, const spec::FileSource& files) {
  if (spec.kind == spec::TokenizerKind::kGguf) {
    return InvalidArgument("the tokenizer of a GGUF file is made from the file's own values");
  }
  ASSIGN_OR_RETURN(const SideFiles side, SideFiles::Read(files));
  // What is wrong inside a file is said with its name alone.
  const auto named = [&](StatusOr<std::unique_ptr<Tokenizer>> made) -> StatusOr<std::unique_ptr<Tokenizer>> {
    if (!made.ok()) return Annotate(made.status(), spec.directory.string());
    return made;
  };
  switch (spec.kind) {
    case spec::TokenizerKind::kSentencePiece: {
      ASSIGN_OR_RETURN(const std::string model, files.Read("tokenizer.model"));
      return named(MakeSentencePieceTokenizer(
          model, side, {.legacy = spec.legacy, .add_bos_token = spec.add_bos_token, .fast = spec.fast}));
    }
    case spec::TokenizerKind::kTokenizerJson: {
      ASSIGN_OR_RETURN(const std::string json, files.Read("tokenizer.json"));
      return named(MakeTokenizerJson(json, side));
    }
    case spec::TokenizerKind::kVocabMerges: {
      ASSIGN_OR_RETURN(const std::string vocab, files.Read("vocab.json"));
      ASSIGN_OR_RETURN(const std::string merges, files.Read("merges.txt"));
      return named(MakeVocabMergesTokenizer(vocab, merges, side));
    }
    case spec::TokenizerKind::kGguf:
      break;
  }
  return InvalidArgument("unknown tokenizer kind");
}

}  // namespace galago::text
