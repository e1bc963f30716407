#ifndef GALAGO_TEXT_SENTENCEPIECE_ORACLE_H_
#define GALAGO_TEXT_SENTENCEPIECE_ORACLE_H_

#include <memory>
#include <string>
#include <vector>

// The official library for tests. Its header declares an absl::string_view of its own, so it must stay alone.
namespace galago::text {

class SentencePieceOracle {
 public:
  explicit SentencePieceOracle(const std::string& model_path);
  ~SentencePieceOracle();
  bool ok() const { return ok_; }
  std::vector<int> Encode(const std::string& text) const;

 private:
  struct Library;
  std::unique_ptr<Library> library_;
  bool ok_ = false;
};

}  // namespace galago::text

#endif  // GALAGO_TEXT_SENTENCEPIECE_ORACLE_H_
