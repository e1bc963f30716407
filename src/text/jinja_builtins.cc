// Attributes, string methods, filters and tests of the template language.

#include <algorithm>
#include <charconv>
#include <cmath>

#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/base/utf8.h"
#include "src/text/jinja_run.h"
#include "src/text/normalizer.h"

namespace galago::text::jinja {
namespace {

bool InSet(std::string_view character, std::string_view set, bool white) {
  if (!white) return set.find(character) != std::string_view::npos;
  const char32_t c = Utf8Decode(character);
  return IsWhiteSpace(c) || (c >= 0x1c && c <= 0x1f);
}

enum class Side { kLeft, kRight, kBoth };

std::string Stripped(std::string_view text, const Value& characters, Side side) {
  const bool white = characters.string() == nullptr;
  const std::string_view set = white ? std::string_view() : *characters.string();
  const std::vector<size_t> at = CharacterOffsets(text);
  const auto character = [&](size_t i) { return text.substr(at[i], at[i + 1] - at[i]); };
  size_t begin = 0;
  size_t end = at.size() - 1;
  if (side != Side::kRight) {
    while (begin < end && InSet(character(begin), set, white)) ++begin;
  }
  if (side != Side::kLeft) {
    while (end > begin && InSet(character(end - 1), set, white)) --end;
  }
  return std::string(text.substr(at[begin], at[end] - at[begin]));
}

std::string Cased(std::string_view text, bool upper) {
  std::string out(text);
  for (char& c : out) {
    if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (!upper && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string Capitalized(std::string_view text) {
  return Cased(text.substr(0, 1), true) + Cased(text.substr(std::min<size_t>(1, text.size())), false);
}

std::string TitleCased(std::string_view text) {
  std::string out = Cased(text, false);
  bool start = true;
  for (char& c : out) {
    const bool letter = c >= 'a' && c <= 'z';
    if (letter && start) c = static_cast<char>(c - 'a' + 'A');
    start = !letter;
  }
  return out;
}

std::vector<std::string> SplitWhite(std::string_view text, int64_t max_splits) {
  std::vector<std::string> out;
  const Value none;
  std::string rest = Stripped(text, none, Side::kLeft);
  while (!rest.empty()) {
    size_t end = 0;
    while (end < rest.size() && !InSet(std::string_view(rest).substr(
                                           end, std::max<size_t>(1, Utf8Length(std::string_view(rest).substr(end)))),
                                       "", true)) {
      end += std::max<size_t>(1, Utf8Length(std::string_view(rest).substr(end)));
    }
    if (max_splits >= 0 && static_cast<int64_t>(out.size()) == max_splits) end = rest.size();
    out.push_back(rest.substr(0, end));
    rest = Stripped(std::string_view(rest).substr(end), none, Side::kLeft);
  }
  return out;
}

std::vector<std::string> SplitAt(std::string_view text, std::string_view separator, int64_t max_splits) {
  std::vector<std::string> out;
  while (max_splits < 0 || static_cast<int64_t>(out.size()) < max_splits) {
    const size_t end = text.find(separator);
    if (end == std::string_view::npos) break;
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(end + separator.size());
  }
  out.emplace_back(text);
  return out;
}

// Replaces at most `count` times (negative: all); the result never grows past `limit`.
StatusOr<std::string> Replaced(std::string_view text, std::string_view from, std::string_view to, int64_t count,
                               size_t limit) {
  std::string out;
  while (!from.empty() && count != 0) {
    const size_t at = text.find(from);
    if (at == std::string_view::npos) break;
    out += text.substr(0, at);
    out += to;
    text.remove_prefix(at + from.size());
    if (count > 0) --count;
    if (out.size() > limit)
      return OutOfRange(StrCat("chat template: replace makes a text of more than ", limit, " bytes"));
  }
  out += text;
  return out;
}

// json.dumps(ensure_ascii=False).
void Dump(const Value& value, int indent, int level, size_t limit, std::string& out) {
  if (out.size() > limit) return;
  const auto line = [&](int at) {
    if (indent >= 0) out += '\n' + std::string(static_cast<size_t>(indent) * static_cast<size_t>(at), ' ');
  };
  const auto quoted = [&](const std::string& text) {
    out += Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  if (const std::string* text = value.string()) {
    quoted(*text);
  } else if (const List* list = value.list()) {
    out += '[';
    for (size_t i = 0; i < list->items.size() && out.size() <= limit; ++i) {
      if (i > 0) out += indent >= 0 ? "," : ", ";
      line(level + 1);
      Dump(list->items[i], indent, level + 1, limit, out);
    }
    if (!list->items.empty()) line(level);
    out += ']';
  } else if (const Dict* dict = value.dict()) {
    out += '{';
    for (size_t i = 0; i < dict->items.size() && out.size() <= limit; ++i) {
      if (i > 0) out += indent >= 0 ? "," : ", ";
      line(level + 1);
      quoted(dict->items[i].first);
      out += ": ";
      Dump(dict->items[i].second, indent, level + 1, limit, out);
    }
    if (!dict->items.empty()) line(level);
    out += '}';
  } else if (value.is_none()) {
    out += "null";
  } else if (const auto* flag = std::get_if<bool>(&value.data)) {
    out += *flag ? "true" : "false";
  } else {
    out += ToText(value, limit);
  }
}

}  // namespace

StatusOr<Value> Run::Attribute(int line, const Value& object, std::string_view name) {
  if (object.is_undefined()) return Fail(line, StrCat("\"", Printable(name), "\" of an undefined value"));
  if (const Dict* dict = object.dict()) {
    if (const Value* found = dict->Find(name)) return *found;
    for (const std::string_view known : {"items", "keys", "values", "get"}) {
      if (name == known) return Value::Make(std::make_shared<const Method>(Method{object, std::string(name)}));
    }
    return Value();
  }
  if (object.string() != nullptr) {
    for (const std::string_view known :
         {"strip", "lstrip", "rstrip", "split", "splitlines", "startswith", "endswith", "replace", "upper", "lower",
          "title", "capitalize", "find", "count", "join", "removeprefix", "removesuffix"}) {
      if (name == known) return Value::Make(std::make_shared<const Method>(Method{object, std::string(name)}));
    }
  }
  return Value();
}

StatusOr<Value> Run::CallMethod(int line, const Method& method, const Arguments& arguments) {
  const std::string& name = method.name;
  if (const Dict* dict = method.self.dict()) {
    if (name == "get") {
      const Value key = arguments.Get(0, "key");
      const Value* found = key.string() == nullptr ? nullptr : dict->Find(*key.string());
      if (found != nullptr) return *found;
      return arguments.positional.size() > 1 ? arguments.positional[1] : Value::MakeNone();
    }
    std::vector<Value> out;
    for (const auto& [key, value] : dict->items) {
      if (name == "keys") {
        out.emplace_back(key);
      } else if (name == "values") {
        out.push_back(value);
      } else {
        ASSIGN_OR_RETURN(Value pair, MakeList(line, {Value(key), value}));
        out.push_back(std::move(pair));
      }
    }
    return MakeList(line, std::move(out));
  }
  const std::string& text = *method.self.string();
  RETURN_IF_ERROR(Spend(line, 1 + static_cast<int64_t>(text.size() / 64), 0));
  const auto want = [&](size_t i) -> StatusOr<std::string> {
    const Value value = arguments.Get(i, "");
    if (value.string() == nullptr)
      return Fail(line, StrCat("argument ", i + 1, " of ", name, " is ", value.type_name(), ", not a string"));
    return *value.string();
  };
  const auto strings = [&](const std::vector<std::string>& parts) -> StatusOr<Value> {
    std::vector<Value> out;
    for (const std::string& part : parts) {
      ASSIGN_OR_RETURN(Value value, MakeString(line, part));
      out.push_back(std::move(value));
    }
    return MakeList(line, std::move(out));
  };
  if (name == "strip") return MakeString(line, Stripped(text, arguments.Get(0, ""), Side::kBoth));
  if (name == "lstrip") return MakeString(line, Stripped(text, arguments.Get(0, ""), Side::kLeft));
  if (name == "rstrip") return MakeString(line, Stripped(text, arguments.Get(0, ""), Side::kRight));
  if (name == "upper" || name == "lower") return MakeString(line, Cased(text, name == "upper"));
  if (name == "title") return MakeString(line, TitleCased(text));
  if (name == "capitalize") return MakeString(line, Capitalized(text));
  if (name == "splitlines") {
    std::string plain = ReplaceAll(ReplaceAll(text, "\r\n", "\n"), "\r", "\n");
    if (plain.ends_with('\n')) plain.pop_back();
    return strings(text.empty() ? std::vector<std::string>() : SplitAt(plain, "\n", -1));
  }
  if (name == "split") {
    int64_t max_splits = -1;
    const Value limit = arguments.Get(1, "maxsplit");
    if (!limit.is_undefined() && !limit.AsInt(max_splits)) return Fail(line, "the number of splits is no integer");
    RETURN_IF_ERROR(Spend(line, 0, text.size() * 8));
    const Value separator = arguments.Get(0, "sep");
    if (separator.is_undefined() || separator.is_none()) return strings(SplitWhite(text, max_splits));
    if (separator.string() == nullptr || separator.string()->empty())
      return Fail(line, "split at something that is no text");
    return strings(SplitAt(text, *separator.string(), max_splits));
  }
  if (name == "startswith" || name == "endswith") {
    const Value argument = arguments.Get(0, "");
    std::vector<Value> options = {argument};
    if (argument.list() != nullptr) options = argument.list()->items;
    for (const Value& option : options) {
      if (option.string() == nullptr) return Fail(line, StrCat(name, " of ", option.type_name()));
      if (name == "startswith" ? text.starts_with(*option.string()) : text.ends_with(*option.string()))
        return Value(true);
    }
    return Value(false);
  }
  if (name == "join") return ApplyFilter(line, "join", arguments.Get(0, ""), {{method.self}, {}});
  ASSIGN_OR_RETURN(const std::string first, want(0));
  if (name == "replace") {
    ASSIGN_OR_RETURN(const std::string to, want(1));
    int64_t count = -1;
    const Value limit = arguments.Get(2, "count");
    if (!limit.is_undefined() && !limit.AsInt(count)) return Fail(line, "the number of replacements is no integer");
    ASSIGN_OR_RETURN(std::string out, Replaced(text, first, to, count, max_text()));
    return MakeString(line, std::move(out));
  }
  if (name == "find") {
    const size_t at = text.find(first);
    return Value(at == std::string::npos ? int64_t{-1}
                                         : static_cast<int64_t>(CountCharacters(std::string_view(text).substr(0, at))));
  }
  if (name == "count") {
    if (first.empty()) return Fail(line, "count of an empty text");
    return Value(static_cast<int64_t>(SplitAt(text, first, -1).size()) - 1);
  }
  if (name == "removeprefix") return MakeString(line, text.starts_with(first) ? text.substr(first.size()) : text);
  // removesuffix
  return MakeString(line, text.ends_with(first) ? text.substr(0, text.size() - first.size()) : text);
}

StatusOr<Value> Run::ApplyFilter(int line, std::string_view name, const Value& subject, const Arguments& arguments) {
  if (const std::string* text = subject.string())
    RETURN_IF_ERROR(Spend(line, 1 + static_cast<int64_t>(text->size() / 64), 0));
  if (name == "default" || name == "d") {
    const bool also_empty = arguments.Get(1, "boolean").truth();
    if (!subject.is_undefined() && !(also_empty && !subject.truth())) return subject;
    const Value value = arguments.Get(0, "default_value");
    return value.is_undefined() ? Value(std::string()) : value;
  }
  if (name == "safe") return subject;
  if (name == "tojson") {
    int64_t indent = -1;
    const Value value = arguments.Get(0, "indent");
    if (!value.is_undefined() && !value.is_none() && (!value.AsInt(indent) || indent < 0 || indent > 16)) {
      return Fail(line, "tojson: the indent is not a number from 0 to 16");
    }
    if (subject.is_undefined()) return Fail(line, "tojson of an undefined value");
    if (std::holds_alternative<Namespace>(subject.data)) return Fail(line, "tojson of a namespace");
    std::string out;
    Dump(subject, static_cast<int>(indent), 0, max_text(), out);
    return MakeString(line, std::move(out));
  }
  if (name == "string") return MakeString(line, ToText(subject, max_text()));
  if (name == "length" || name == "count") {
    if (subject.string() != nullptr) return Value(static_cast<int64_t>(CountCharacters(*subject.string())));
    if (subject.list() != nullptr) return Value(static_cast<int64_t>(subject.list()->items.size()));
    if (subject.dict() != nullptr) return Value(static_cast<int64_t>(subject.dict()->items.size()));
    if (subject.is_undefined()) return Value(int64_t{0});
    return Fail(line, StrCat("length of ", subject.type_name()));
  }
  if (name == "int") {
    int64_t number = 0;
    if (subject.AsInt(number)) return Value(number);
    double real = 0.0;
    if (subject.AsDouble(real) && std::abs(real) < 9e15) return Value(static_cast<int64_t>(real));
    if (const std::string* text = subject.string()) {
      const std::string_view trimmed = Trim(*text);
      const auto parsed = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), number);
      if (parsed.ec == std::errc() && parsed.ptr == trimmed.data() + trimmed.size()) return Value(number);
    }
    const Value fallback = arguments.Get(0, "default");
    return fallback.is_undefined() ? Value(int64_t{0}) : fallback;
  }
  for (const std::string_view known : {"trim", "upper", "lower", "title", "capitalize", "replace"}) {
    if (name != known) continue;
    // These take any value as text.
    ASSIGN_OR_RETURN(const Value text, MakeString(line, ToText(subject, max_text())));
    return CallMethod(line, Method{text, name == "trim" ? "strip" : std::string(name)}, arguments);
  }
  if (name == "abs") {
    ASSIGN_OR_RETURN(const Value negative, Arithmetic(line, "-", Value(int64_t{0}), subject));
    int order = 0;
    return Compare(subject, negative, order) && order < 0 ? negative : subject;
  }
  if (name == "items") {
    if (subject.is_undefined()) return MakeList(line, {});
    if (subject.dict() == nullptr) return Fail(line, StrCat("items of ", subject.type_name()));
    return CallMethod(line, Method{subject, "items"}, {});
  }

  return ApplyListFilter(line, name, subject, arguments);
}

StatusOr<Value> Run::ApplyListFilter(int line, std::string_view name, const Value& subject,
                                     const Arguments& arguments) {
  constexpr std::string_view kKnown[] = {"first",  "last",   "list",       "join",       "reverse", "map",
                                         "select", "reject", "selectattr", "rejectattr", "unique",  "sort"};
  if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown)) {
    return Fail(line, StrCat("filter \"", Printable(name), "\" is not supported"));
  }
  ASSIGN_OR_RETURN(std::vector<Value> items, Items(line, subject));
  if (name == "first") return items.empty() ? Value() : items.front();
  if (name == "last") return items.empty() ? Value() : items.back();
  if (name == "list") return MakeList(line, std::move(items));
  if (name == "reverse") {
    std::reverse(items.begin(), items.end());
    if (subject.string() == nullptr) return MakeList(line, std::move(items));
    std::string out;
    for (const Value& item : items) out += *item.string();
    return MakeString(line, std::move(out));
  }
  if (name == "join") {
    const std::string separator = ToText(arguments.Get(0, "d"), max_text());
    const Value attribute = arguments.Get(1, "attribute");
    std::string out;
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) RETURN_IF_ERROR(Append(line, out, separator));
      if (attribute.string() != nullptr) {
        ASSIGN_OR_RETURN(items[i], Attribute(line, items[i], *attribute.string()));
      }
      RETURN_IF_ERROR(Append(line, out, ToText(items[i], max_text())));
    }
    return MakeString(line, std::move(out));
  }
  if (name == "unique") {
    std::vector<Value> out;
    for (const Value& item : items) {
      RETURN_IF_ERROR(Spend(line, 1 + static_cast<int64_t>(out.size()), 0));
      if (std::none_of(out.begin(), out.end(), [&](const Value& other) { return Equal(item, other); }))
        out.push_back(item);
    }
    return MakeList(line, std::move(out));
  }
  if (name == "sort") {
    if (!arguments.positional.empty() || !arguments.named.empty())
      return Fail(line, "sort with arguments is not supported");
    bool comparable = true;
    std::stable_sort(items.begin(), items.end(), [&](const Value& a, const Value& b) {
      int order = 0;
      comparable = Compare(a, b, order) && comparable;
      return order < 0;
    });
    if (!comparable) return Fail(line, "sort of values that have no order");
    return MakeList(line, std::move(items));
  }
  if (name == "map") {
    const Value attribute = arguments.Get(1000, "attribute");
    std::vector<Value> out;
    for (const Value& item : items) {
      RETURN_IF_ERROR(Spend(line, 1, 0));
      if (attribute.string() != nullptr) {
        ASSIGN_OR_RETURN(Value value, Attribute(line, item, *attribute.string()));
        const Value fallback = arguments.Get(1000, "default");
        out.push_back(value.is_undefined() ? fallback : value);
        continue;
      }
      const Value filter = arguments.Get(0, "");
      if (filter.string() == nullptr) return Fail(line, "map needs attribute=... or the name of a filter");
      if (*filter.string() == "map") return Fail(line, "map of map is not supported");
      Arguments rest;
      rest.positional.assign(arguments.positional.begin() + 1, arguments.positional.end());
      ASSIGN_OR_RETURN(Value value, ApplyFilter(line, *filter.string(), item, rest));
      out.push_back(std::move(value));
    }
    return MakeList(line, std::move(out));
  }
  // select, reject, selectattr, rejectattr
  const bool by_attribute = name.ends_with("attr");
  const bool keep = name.starts_with("select");
  std::vector<Value> out;
  for (const Value& item : items) {
    RETURN_IF_ERROR(Spend(line, 1, 0));
    Value tested = item;
    size_t next = 0;
    if (by_attribute) {
      const Value attribute = arguments.Get(next++, "");
      if (attribute.string() == nullptr) return Fail(line, StrCat(name, " needs the name of an attribute"));
      ASSIGN_OR_RETURN(tested, Attribute(line, item, *attribute.string()));
    }
    bool result = tested.truth();
    const Value test = arguments.Get(next++, "");
    if (test.string() != nullptr) {
      Arguments rest;
      for (; next < arguments.positional.size(); ++next) rest.positional.push_back(arguments.positional[next]);
      ASSIGN_OR_RETURN(result, ApplyTest(line, *test.string(), tested, rest));
    }
    if (result == keep) out.push_back(item);
  }
  return MakeList(line, std::move(out));
}

StatusOr<bool> Run::ApplyTest(int line, std::string_view name, const Value& subject, const Arguments& arguments) {
  int64_t number = 0;
  const bool is_bool = std::holds_alternative<bool>(subject.data);
  if (name == "defined") return !subject.is_undefined();
  if (name == "undefined") return subject.is_undefined();
  if (name == "none") return subject.is_none();
  if (name == "string") return subject.string() != nullptr;
  if (name == "boolean") return is_bool;
  if (name == "true" || name == "false") return is_bool && subject.truth() == (name == "true");
  if (name == "number") return subject.is_number();
  if (name == "integer") return std::holds_alternative<int64_t>(subject.data);
  if (name == "float") return std::holds_alternative<double>(subject.data);
  if (name == "mapping") return subject.dict() != nullptr;
  if (name == "sequence" || name == "iterable") {
    return subject.string() != nullptr || subject.list() != nullptr || subject.dict() != nullptr;
  }
  if (name == "callable") {
    return std::holds_alternative<Function>(subject.data) || std::holds_alternative<const Macro*>(subject.data) ||
           std::holds_alternative<std::shared_ptr<const Method>>(subject.data);
  }
  if (name == "even" || name == "odd") {
    if (!subject.AsInt(number)) return Fail(line, StrCat("\"", name, "\" of ", subject.type_name()));
    return (number % 2 == 0) == (name == "even");
  }
  const Value other = arguments.Get(0, "");
  if (name == "divisibleby") {
    int64_t divisor = 0;
    if (!subject.AsInt(number) || !other.AsInt(divisor) || divisor == 0)
      return Fail(line, "divisibleby needs two integers");
    return divisor == -1 || number % divisor == 0;
  }
  if (name == "equalto" || name == "eq" || name == "==" || name == "sameas") return Equal(subject, other);
  if (name == "ne" || name == "!=") return !Equal(subject, other);
  if (name == "in") {
    if (const std::string* text = other.string()) {
      if (subject.string() == nullptr) return Fail(line, StrCat(subject.type_name(), " in a string"));
      RETURN_IF_ERROR(Spend(line, 1 + static_cast<int64_t>(text->size() / 64), 0));
      return text->find(*subject.string()) != std::string::npos;
    }
    if (const Dict* dict = other.dict()) return subject.string() != nullptr && dict->Find(*subject.string()) != nullptr;
    if (other.list() == nullptr && !other.is_undefined()) return Fail(line, StrCat("\"in\" of ", other.type_name()));
    ASSIGN_OR_RETURN(const std::vector<Value> items, Items(line, other));
    return std::any_of(items.begin(), items.end(), [&](const Value& item) { return Equal(subject, item); });
  }
  constexpr std::pair<std::string_view, std::string_view> kOrders[] = {{"lt", "<"}, {"lessthan", "<"},    {"le", "<="},
                                                                       {"gt", ">"}, {"greaterthan", ">"}, {"ge", ">="}};
  for (const auto& [word, op] : kOrders) {
    if (name != word && name != op) continue;
    int order = 0;
    if (!Compare(subject, other, order))
      return Fail(line, StrCat("\"", op, "\" of ", subject.type_name(), " and ", other.type_name()));
    return op == "<" ? order < 0 : op == "<=" ? order <= 0 : op == ">" ? order > 0 : order >= 0;
  }
  return Fail(line, StrCat("test \"", Printable(name), "\" is not supported"));
}

}  // namespace galago::text::jinja
