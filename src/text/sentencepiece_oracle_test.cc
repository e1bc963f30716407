#include "src/text/sentencepiece_oracle.h"

#include <sentencepiece_processor.h>

namespace galago::text {

struct SentencePieceOracle::Library {
  sentencepiece::SentencePieceProcessor processor;
};

SentencePieceOracle::SentencePieceOracle(const std::string& model_path) : library_(std::make_unique<Library>()) {
  ok_ = library_->processor.Load(model_path).ok();
}
SentencePieceOracle::~SentencePieceOracle() = default;

std::vector<int> SentencePieceOracle::Encode(const std::string& text) const {
  std::vector<int> ids;
  if (!library_->processor.Encode(text, &ids).ok()) ids.clear();
  return ids;
}

}  // namespace galago::text
