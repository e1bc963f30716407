#include "train/cli/flags.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "src/base/strings.h"
#include "train/loop/nearest.h"

namespace galago::train {
namespace {

template <class T>
StatusOr<T> Parse(const std::string& text, T min, T max) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= min && value <= max)) {
    return InvalidArgument(StrCat(Printable(text), " is not a number from ", min, " to ", max));
  }
  return value;
}

}  // namespace

Exit ExitCodeFor(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return Exit::kSuccess;
    case StatusCode::kInvalidArgument:
      return Exit::kUsage;
    case StatusCode::kNotFound:
    case StatusCode::kDataLoss:
    case StatusCode::kUnimplemented:
    case StatusCode::kOutOfRange:
      return Exit::kInput;
    case StatusCode::kResourceExhausted:
    case StatusCode::kUnavailable:
      return Exit::kResources;
    case StatusCode::kDeadlineExceeded:
      return Exit::kTimeLimit;
    case StatusCode::kCancelled:
      return Exit::kInterrupted;
    default:
      return Exit::kInternal;
  }
}

Flag Switch(std::string name, bool& target, std::string help) {
  return {std::move(name), "", std::move(help), [&target](const std::string&) {
            target = true;
            return OkStatus();
          }};
}

Flag Text(std::string name, std::string value, std::string& target, std::string help) {
  return {std::move(name), std::move(value), std::move(help), [&target](const std::string& text) {
            target = text;
            return OkStatus();
          }};
}

Flag Texts(std::string name, std::string value, std::vector<std::string>& target, std::string help) {
  return {std::move(name), std::move(value), std::move(help), [&target](const std::string& text) {
            target.push_back(text);
            return OkStatus();
          }};
}

Flag Whole(std::string name, std::string value, int64_t& target, int64_t min, int64_t max, std::string help) {
  return {std::move(name), std::move(value), std::move(help), [&target, min, max](const std::string& text) -> Status {
            ASSIGN_OR_RETURN(target, Parse<int64_t>(text, min, max));
            return OkStatus();
          }};
}

Flag Number(std::string name, std::string value, double& target, double min, double max, std::string help) {
  return {std::move(name), std::move(value), std::move(help), [&target, min, max](const std::string& text) -> Status {
            ASSIGN_OR_RETURN(target, Parse<double>(text, min, max));
            return OkStatus();
          }};
}

StatusOr<std::vector<std::string>> ParseFlags(const Usage& usage, std::span<const std::string> args) {
  std::vector<std::string> rest;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string& arg = args[i];
    if (arg == "--") {
      rest.insert(rest.end(), args.begin() + static_cast<std::ptrdiff_t>(i) + 1, args.end());
      break;
    }
    if (arg == "--help" || arg == "-h") return std::vector<std::string>{"--help"};
    if (arg.size() < 2 || arg[0] != '-') {
      rest.push_back(arg);
      continue;
    }
    const size_t equals = arg.find('=');
    const std::string name = arg.substr(0, equals);
    const auto flag = std::ranges::find(usage.flags, name, &Flag::name);
    if (flag == usage.flags.end()) {
      std::vector<std::string> names = {"--help"};
      for (const Flag& known : usage.flags) names.push_back(known.name);
      return InvalidArgument(StrCat("there is no option ", Printable(name), "; the nearest is ", Nearest(name, names)));
    }
    std::string value;
    if (flag->value.empty()) {
      if (equals != std::string::npos) return InvalidArgument(StrCat(name, " is a switch and takes no value"));
    } else if (equals != std::string::npos) {
      value = arg.substr(equals + 1);
    } else if (i + 1 < args.size()) {
      value = args[++i];
    } else {
      return InvalidArgument(StrCat(name, " needs a value: ", name, " ", flag->value));
    }
    RETURN_IF_ERROR(Annotate(flag->set(value), name));
  }
  return rest;
}

std::string HelpText(const Usage& usage) {
  std::string text = StrCat("usage: ", usage.synopsis, "\n\n", usage.summary, "\n\noptions:\n");
  for (const Flag& flag : usage.flags) {
    std::string left = StrCat("  ", flag.name, flag.value.empty() ? "" : " ", flag.value);
    left.resize(std::max<size_t>(left.size() + 2, 28), ' ');
    text += StrCat(left, ReplaceAll(flag.help, "\n", "\n" + std::string(28, ' ')), "\n");
  }
  return text;
}

Arguments ParseOrExplain(const Usage& usage, std::span<const std::string> args) {
  StatusOr<std::vector<std::string>> rest = ParseFlags(usage, args);
  if (!rest.ok()) return {.exit = Fail(rest.status())};
  if (rest->size() == 1 && rest->front() == "--help") {
    std::fputs(HelpText(usage).c_str(), stdout);
    return {.exit = static_cast<int>(Exit::kSuccess)};
  }
  return {.rest = *std::move(rest)};
}

Status OneOf(const char* flag, const std::string& value, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (value == name) return OkStatus();
  }
  return InvalidArgument(StrCat(flag, ": ", Printable(value), " is not known; the nearest is ", Nearest(value, names)));
}

int Fail(const Status& status, Exit code) {
  std::fprintf(stderr, "error: %s\n", MessageOf(status).c_str());
  return static_cast<int>(code);
}

int Fail(const Status& status) { return Fail(status, ExitCodeFor(status)); }

}  // namespace galago::train
