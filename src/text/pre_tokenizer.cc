#include "src/text/pre_tokenizer.h"

#include <optional>
#include <utility>

#include "src/base/strings.h"

namespace galago::text {
namespace {

// openai/gpt-2: src/encoder.py.
constexpr std::string_view kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
// Qwen2 and Llama 3 differ in how many digits stay together.
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr int kMaxDepth = 8;
constexpr size_t kMaxSteps = 64;

std::string EscapeLiteral(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\^$.|?*+()[]{}#- \t\n\r").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

StatusOr<PreTokenizer::Behavior> BehaviorFromName(std::string_view name) {
  using enum PreTokenizer::Behavior;
  constexpr std::pair<std::string_view, PreTokenizer::Behavior> kNames[] = {{"Isolated", kIsolated},
                                                                            {"Removed", kRemoved},
                                                                            {"MergedWithPrevious", kMergedWithPrevious},
                                                                            {"MergedWithNext", kMergedWithNext},
                                                                            {"Contiguous", kContiguous}};
  for (const auto& [known, behavior] : kNames) {
    if (name == known) return behavior;
  }
  return Unimplemented(StrCat("pre_tokenizer: split behavior \"", Printable(name), "\" is not known"));
}

// Joins or drops spans in place, as the behavior says.
void Apply(PreTokenizer::Behavior behavior, std::vector<Regex::Span>& spans) {
  using enum PreTokenizer::Behavior;
  if (behavior == kIsolated) return;
  std::vector<Regex::Span> out;
  bool open = false;  // the last span of `out` waits for a neighbour
  for (const Regex::Span& span : spans) {
    switch (behavior) {
      case kIsolated:
        break;
      case kRemoved:
        if (!span.matched) out.push_back(span);
        break;
      case kContiguous:
        if (!out.empty() && out.back().matched == span.matched) {
          out.back().end = span.end;
        } else {
          out.push_back(span);
        }
        break;
      case kMergedWithPrevious:  // a match joins the text before it, once
        if (span.matched && open) {
          out.back().end = span.end;
          open = false;
        } else {
          out.push_back(span);
          open = !span.matched;
        }
        break;
      case kMergedWithNext:
        if (!span.matched && open) {
          out.back().end = span.end;
          open = false;
        } else {
          out.push_back(span);
          open = span.matched;
        }
        break;
    }
  }
  spans = std::move(out);
}

}  // namespace

Status PreTokenizer::AddSplit(std::string_view pattern, Behavior behavior, bool invert) {
  if (steps_.size() >= kMaxSteps) return DataLoss(StrCat("pre_tokenizer: more than ", kMaxSteps, " steps"));
  ASSIGN_OR_RETURN(Regex regex, Regex::Compile(pattern));
  Step step;
  step.pattern.push_back(std::move(regex));
  step.behavior = behavior;
  step.invert = invert;
  steps_.push_back(std::move(step));
  return OkStatus();
}

void PreTokenizer::AddPrefixSpace() { steps_.emplace_back(); }

StatusOr<PreTokenizer> PreTokenizer::FromJson(const Json* value, bool& byte_level) {
  PreTokenizer out;
  byte_level = false;
  if (value != nullptr) RETURN_IF_ERROR(out.AddFromJson(*value, 0, byte_level));
  return out;
}

Status PreTokenizer::AddFromJson(const Json& value, int depth, bool& byte_level) {
  constexpr std::string_view kWhat = "pre_tokenizer";
  if (depth > kMaxDepth) return DataLoss(StrCat("pre_tokenizer: nested more than ", kMaxDepth, " deep"));
  ASSIGN_OR_RETURN(const auto type, JsonString(value, "type", kWhat));
  if (!type) return DataLoss("pre_tokenizer: \"type\" is missing");
  if (byte_level) return Unimplemented(StrCat("pre_tokenizer: \"", Printable(*type), "\" after \"ByteLevel\""));
  if (*type == "Sequence") {
    const Json* steps = JsonFind(value, "pretokenizers");
    if (steps == nullptr || !steps->is_array()) return DataLoss("pre_tokenizer: \"pretokenizers\" is not a list");
    for (const Json& step : *steps) RETURN_IF_ERROR(AddFromJson(step, depth + 1, byte_level));
    return OkStatus();
  }
  if (*type == "ByteLevel") {
    ASSIGN_OR_RETURN(const auto prefix, JsonBool(value, "add_prefix_space", kWhat));
    ASSIGN_OR_RETURN(const auto use_regex, JsonBool(value, "use_regex", kWhat));
    if (prefix.value_or(true)) AddPrefixSpace();
    if (use_regex.value_or(true)) RETURN_IF_ERROR(AddSplit(kGpt2, Behavior::kIsolated, false));
    byte_level = true;
    return OkStatus();
  }
  if (*type == "Digits") {
    ASSIGN_OR_RETURN(const auto individual, JsonBool(value, "individual_digits", kWhat));
    return AddSplit(R"(\p{N})", individual.value_or(false) ? Behavior::kIsolated : Behavior::kContiguous, false);
  }
  if (*type == "Split") {
    const Json* pattern = JsonFind(value, "pattern");
    if (pattern == nullptr) return DataLoss("pre_tokenizer: \"Split\" without \"pattern\"");
    ASSIGN_OR_RETURN(const auto regex, JsonString(*pattern, "Regex", kWhat));
    ASSIGN_OR_RETURN(const auto literal, JsonString(*pattern, "String", kWhat));
    if (!regex && !literal) return DataLoss("pre_tokenizer: \"pattern\" is neither \"Regex\" nor \"String\"");
    ASSIGN_OR_RETURN(const auto behavior_name, JsonString(value, "behavior", kWhat));
    ASSIGN_OR_RETURN(const auto behavior, BehaviorFromName(behavior_name.value_or("")));
    ASSIGN_OR_RETURN(const auto invert, JsonBool(value, "invert", kWhat));
    return AddSplit(regex ? *regex : EscapeLiteral(*literal), behavior, invert.value_or(false));
  }
  return Unimplemented(StrCat("pre_tokenizer \"", Printable(*type),
                              "\" is not supported; known are Sequence, Split, ByteLevel and Digits"));
}

StatusOr<PreTokenizer> PreTokenizer::Qwen2() { return FromGgufName("qwen2"); }

StatusOr<PreTokenizer> PreTokenizer::FromGgufName(std::string_view name) {
  const auto is = [&](std::initializer_list<std::string_view> names) {
    for (const std::string_view known : names) {
      if (name == known) return true;
    }
    return false;
  };
  PreTokenizer out;
  std::vector<std::string_view> patterns;
  if (is({"", "default"})) {
    patterns = {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2, R"(\p{N}+)", "[0-9][0-9][0-9]"};
  } else if (is({"llama-bpe", "llama3", "llama-v3"})) {
    patterns = {kLlama3};
  } else if (is({"qwen2", "deepseek-r1-qwen"})) {
    patterns = {kQwen2};
  } else if (is({"smollm", "starcoder", "refact", "command-r"})) {
    patterns = {R"(\p{N})", kGpt2};
  } else if (is({"gpt-2", "phi-2"})) {
    patterns = {kGpt2};
  } else {
    return Unimplemented(StrCat("GGUF pre-tokenizer \"", Printable(name), "\" is not supported"));
  }
  for (const std::string_view pattern : patterns) RETURN_IF_ERROR(out.AddSplit(pattern, Behavior::kIsolated, false));
  return out;
}

Status PreTokenizer::Split(std::string_view text, std::deque<std::string>& storage,
                           std::vector<std::string_view>& words) const {
  if (text.empty()) return OkStatus();
  std::vector<std::string_view> now = {text};
  std::vector<std::string_view> next;
  std::vector<Regex::Span> spans;
  for (const Step& step : steps_) {
    next.clear();
    for (const std::string_view word : now) {
      if (step.pattern.empty()) {
        next.push_back(word.front() == ' ' ? word : std::string_view(storage.emplace_back(StrCat(' ', word))));
        continue;
      }
      spans.clear();
      RETURN_IF_ERROR(step.pattern.front().Split(word, spans));
      if (step.invert) {
        for (Regex::Span& span : spans) span.matched = !span.matched;
      }
      Apply(step.behavior, spans);
      for (const Regex::Span& span : spans) next.push_back(word.substr(span.begin, span.end - span.begin));
    }
    now.swap(next);
  }
  words.insert(words.end(), now.begin(), now.end());
  return OkStatus();
}

}  // namespace galago::text
