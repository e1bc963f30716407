#include "src/text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "src/base/strings.h"
#include "src/base/utf8.h"

namespace galago::text {
namespace {

// Unicode's White_Space. PCRE2's own \s also has U+180E, which left that set in Unicode 6.3; the regex engines of the
// reference tokenizers do not.
constexpr std::string_view kSpaces =
    "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}";

constexpr size_t kMaxPatternBytes = 16384;
// Backtracking steps of one match. A legitimate one needs a few per byte of its longest run.
constexpr uint32_t kMatchLimit = 50'000'000;
constexpr uint32_t kHeapLimitKiB = 64 * 1024;
constexpr size_t kMaxJitStack = size_t{8} << 20;

StatusOr<std::string> SpellOutSpaces(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const char next = pattern[++i];
      if (next == 's') {
        out += in_class ? std::string(kSpaces) : StrCat("[", kSpaces, "]");
      } else if (next == 'S' && !in_class) {
        out += StrCat("[^", kSpaces, "]");
      } else if (next == 'C' || next == 'S') {
        return Unimplemented(
            StrCat("pattern \"", Printable(pattern, 200), "\" uses \\", next, in_class ? " in a class" : ""));
      } else {
        out += c;
        out += next;
      }
      continue;
    }
    if (c == '[' && !in_class) {
      in_class = true;
    } else if (c == ']' && in_class) {
      in_class = false;
    }
    out += c;
  }
  return out;
}

struct MatchContext {
  pcre2_match_data* data;
  pcre2_match_context* context;
  pcre2_jit_stack* stack;
  explicit MatchContext(const pcre2_code* code)
      : data(pcre2_match_data_create_from_pattern(code, nullptr)),
        context(pcre2_match_context_create(nullptr)),
        stack(pcre2_jit_stack_create(32 * 1024, kMaxJitStack, nullptr)) {
    if (context == nullptr) return;
    pcre2_set_match_limit(context, kMatchLimit);
    pcre2_set_heap_limit(context, kHeapLimitKiB);
    if (stack != nullptr) pcre2_jit_stack_assign(context, nullptr, stack);
  }
  MatchContext(const MatchContext&) = delete;
  MatchContext& operator=(const MatchContext&) = delete;
  ~MatchContext() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    pcre2_jit_stack_free(stack);
  }
  bool ok() const { return data != nullptr && context != nullptr && stack != nullptr; }
};

std::string ErrorText(int code) {
  PCRE2_UCHAR buffer[256];
  pcre2_get_error_message(code, buffer, sizeof(buffer));
  return reinterpret_cast<const char*>(buffer);
}

}  // namespace

struct Regex::Code {
  pcre2_code* compiled = nullptr;
  Code() = default;
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  ~Code() { pcre2_code_free(compiled); }
};

Regex::Regex(std::unique_ptr<Code> code) : code_(std::move(code)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

StatusOr<Regex> Regex::Compile(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes) {
    return DataLoss(StrCat("pattern of ", pattern.size(), " bytes, the limit is ", kMaxPatternBytes));
  }
  ASSIGN_OR_RETURN(const std::string spelled, SpellOutSpaces(pattern));
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto code = std::make_unique<Code>();
  code->compiled = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(spelled.data()), spelled.size(),
                                 PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (code->compiled == nullptr) {
    return DataLoss(StrCat("pattern \"", Printable(pattern, 200), "\": ", ErrorText(error)));
  }
  // Without JIT the same code is interpreted, only slower; so a failure here is no error.
  pcre2_jit_compile(code->compiled, PCRE2_JIT_COMPLETE);
  return Regex(std::move(code));
}

Status Regex::Split(std::string_view text, std::vector<Span>& out) const {
  const MatchContext match(code_->compiled);
  if (!match.ok()) return ResourceExhausted("no memory to match a pattern");
  size_t shown = 0;  // all before is in `out`
  size_t from = 0;
  while (from < text.size()) {
    const int found = pcre2_match(code_->compiled, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                                  PCRE2_NO_UTF_CHECK, match.data, match.context);
    if (found == PCRE2_ERROR_NOMATCH) break;
    if (found < 0) {
      return OutOfRange(StrCat("splitting ", text.size(), " bytes of text took too much work: ", ErrorText(found)));
    }
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(match.data);
    const size_t begin = bounds[0];
    const size_t end = bounds[1];
    if (end <= begin || begin < from || end > text.size()) {  // empty (or set by \K): step over one character
      from = std::max(from, begin);
      from += std::max<size_t>(1, Utf8Length(text.substr(std::min(from, text.size()))));
      continue;
    }
    if (begin > shown) out.push_back({shown, begin, false});
    out.push_back({begin, end, true});
    shown = from = end;
  }
  if (shown < text.size()) out.push_back({shown, text.size(), false});
  return OkStatus();
}

}  // namespace galago::text
