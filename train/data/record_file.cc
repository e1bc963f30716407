#include "train/data/record_file.h"

#include "src/base/strings.h"

namespace galago::train {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Walks over JSON text, counting lines.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool done() const { return at_ == text_.size(); }
  char front() const { return text_[at_]; }
  size_t at() const { return at_; }
  int64_t line() const { return line_; }

  void Step() {
    if (text_[at_] == '\n') ++line_;
    ++at_;
  }
  void SkipSpace() {
    while (!done() && IsSpace(front())) Step();
  }
  // Over one value: to the comma or closing bracket behind it, or to the end.
  void SkipValue() {
    int64_t depth = 0;
    while (!done()) {
      const char c = front();
      if (depth == 0 && (c == ',' || c == ']' || c == '}')) return;
      if (c == '"') {
        SkipString();
        continue;
      }
      if (c == '[' || c == '{') ++depth;
      if (c == ']' || c == '}') --depth;
      Step();
    }
  }

 private:
  void SkipString() {
    Step();
    while (!done() && front() != '"') {
      if (front() == '\\') Step();
      if (!done()) Step();
    }
    if (!done()) Step();
  }

  std::string_view text_;
  size_t at_ = 0;
  int64_t line_ = 1;
};

std::vector<RecordSlice> ArrayRecords(std::string_view text) {
  std::vector<RecordSlice> out;
  Scanner scan(text);
  scan.SkipSpace();
  scan.Step();  // [
  while (true) {
    scan.SkipSpace();
    if (scan.done()) {
      // Cut behind a comma or the bracket: nothing of the next record is there, and the end is missing all the same.
      out.push_back({.begin = scan.at(), .length = 0, .line = scan.line()});
      return out;
    }
    if (scan.front() == ']' && out.empty()) return out;
    const RecordSlice begin{.begin = scan.at(), .line = scan.line()};
    scan.SkipValue();
    out.push_back({begin.begin, scan.at() - begin.begin, begin.line});
    if (scan.done()) return out;  // cut inside the record, or the closing bracket is missing
    if (scan.front() == ']') return out;
    scan.Step();  // comma, or a stray brace
  }
}

std::vector<RecordSlice> LineRecords(std::string_view text) {
  std::vector<RecordSlice> out;
  int64_t line = 1;
  for (size_t begin = 0; begin < text.size(); ++line) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (!Trim(text.substr(begin, end - begin)).empty()) out.push_back({begin, end - begin, line});
    begin = end + 1;
  }
  return out;
}

}  // namespace

StatusOr<std::vector<RecordSlice>> FindRecords(std::string_view text, std::string_view what) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  const size_t skip = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  Scanner scan(text.substr(skip));
  scan.SkipSpace();
  if (scan.done()) return std::vector<RecordSlice>();
  if (scan.front() != '[' && scan.front() != '{') {
    return DataLoss(StrCat(what, ": is neither a JSON array nor one JSON object per line"));
  }
  std::vector<RecordSlice> out = scan.front() == '[' ? ArrayRecords(text.substr(skip)) : LineRecords(text.substr(skip));
  for (RecordSlice& slice : out) slice.begin += skip;
  return out;
}

StatusOr<RecordFile> RecordFile::Open(const std::filesystem::path& path) {
  RecordFile out;
  ASSIGN_OR_RETURN(out.file_, MappedFile::Open(path));
  const auto bytes = out.file_->bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  ASSIGN_OR_RETURN(out.slices_, FindRecords(text, path.string()));
  return out;
}

std::string RecordFile::Source(int64_t i) const {
  return StrCat(file_->path().string(), ":", slices_[static_cast<size_t>(i)].line);
}

StatusOr<Json> RecordFile::Get(int64_t i) const {
  const RecordSlice& slice = slices_[static_cast<size_t>(i)];
  const auto bytes = file_->bytes().subspan(slice.begin, slice.length);
  ASSIGN_OR_RETURN(Json json, ParseJson({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, Source(i)));
  if (!json.is_object()) return DataLoss(StrCat(Source(i), ": the record is not an object"));
  return json;
}

}  // namespace galago::train
