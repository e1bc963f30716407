#include <array>
#include <utility>

#include "galago/bench.h"
#include "src/base/strings.h"
#include "src/engine/make_model.h"
#include "src/spec/published.h"
#include "src/text/byte_level.h"

namespace galago {
namespace {

// Every byte is a token, after the special tokens that the templates of all families use; the decoder's table has more
// rows, which no text reaches.
StatusOr<std::unique_ptr<text::Tokenizer>> ByteTokenizer() {
  constexpr std::array<const char*, 11> kSpecials = {"<unk>",
                                                     "<s>",
                                                     "</s>",
                                                     "<|endoftext|>",
                                                     "<|im_start|>",
                                                     "<|im_end|>",
                                                     "<|eot_id|>",
                                                     "[PAD]",
                                                     "<|begin_of_text|>",
                                                     "<|end_of_text|>",
                                                     "<|start_header_id|>"};
  constexpr int32_t kControl = 3, kNormal = 1;
  text::GgufVocab vocab = {.model = "gpt2", .pre = "default"};
  for (const char* token : kSpecials) {
    vocab.tokens.emplace_back(token);
    vocab.token_types.push_back(kControl);
  }
  for (int byte = 0; byte < 256; ++byte) {
    vocab.tokens.push_back(text::BytesToSpelling(std::string(1, static_cast<char>(byte))));
    vocab.token_types.push_back(kNormal);
  }
  vocab.unk_id = 0;
  vocab.bos_id = 1;
  vocab.eos_id = 2;
  return text::MakeGgufTokenizer(std::move(vocab));
}

StatusOr<DType> DecoderType(WeightFormat format) {
  switch (format) {
    case WeightFormat::kBf16:
      return DType::kBF16;
    case WeightFormat::kW4:
      return DType::kW4G128;
    case WeightFormat::kW6:
      return DType::kW6G128;
    case WeightFormat::kW8:
      return DType::kW8G128;
  }
  return InvalidArgument("no such weight format");
}

StatusOr<DType> TowerType(WeightFormat format) {
  if (format != WeightFormat::kW8 && format != WeightFormat::kBf16) {
    return InvalidArgument("the tower's weights have 16 or 8 bits");
  }
  return format == WeightFormat::kW8 ? DType::kW8Row : DType::kBF16;
}

}  // namespace

std::vector<PublishedShape> PublishedShapes() {
  std::vector<PublishedShape> shapes;
  for (const spec::PublishedShape& shape : spec::PublishedShapes()) {
    shapes.push_back({std::string(shape.name), std::string(shape.what)});
  }
  return shapes;
}

StatusOr<std::shared_ptr<Model>> OpenPublishedShape(const std::string& name, const RandomModelOptions& random,
                                                    const ModelOptions& options) {
  models::RandomFormat format = {.seed = random.seed};
  ASSIGN_OR_RETURN(format.decoder, DecoderType(random.decoder));
  ASSIGN_OR_RETURN(format.head, DecoderType(random.head));
  ASSIGN_OR_RETURN(format.tower, TowerType(random.tower));
  ASSIGN_OR_RETURN(const spec::ParseOptions parse, engine::ParseOptionsFor(options));
  engine::ModelParts parts = {.options = options, .random = format};
  ASSIGN_OR_RETURN(parts.spec, spec::ParsePublished(name, parse));
  parts.name = parts.spec.path.string();
  ASSIGN_OR_RETURN(parts.tokenizer, ByteTokenizer());
  return engine::MakeModel(std::move(parts));
}

}  // namespace galago
