#include "src/text/jinja_value.h"

#include <algorithm>
#include <cmath>

#include "src/base/strings.h"

namespace galago::text::jinja {
namespace {

std::string FloatText(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::string out = StrCat(value);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

void Repr(const Value& value, size_t limit, std::string& out);

void ReprString(std::string_view text, std::string& out) {
  const char quote = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
  out += quote;
  for (const char c : text) {
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (c == quote || c == '\\') out += '\\';
        out += c;
    }
  }
  out += quote;
}

void Repr(const Value& value, size_t limit, std::string& out) {
  if (out.size() > limit) return;
  if (const std::string* text = value.string()) {
    ReprString(*text, out);
  } else if (const List* list = value.list()) {
    out += '[';
    for (size_t i = 0; i < list->items.size() && out.size() <= limit; ++i) {
      if (i > 0) out += ", ";
      Repr(list->items[i], limit, out);
    }
    out += ']';
  } else if (std::holds_alternative<Namespace>(value.data)) {
    out += "<Namespace>";  // never its contents: it may contain itself
  } else if (const Dict* dict = value.dict()) {
    out += '{';
    for (size_t i = 0; i < dict->items.size() && out.size() <= limit; ++i) {
      if (i > 0) out += ", ";
      ReprString(dict->items[i].first, out);
      out += ": ";
      Repr(dict->items[i].second, limit, out);
    }
    out += '}';
  } else {
    out += ToText(value, limit);
  }
}

}  // namespace

const Value* Dict::Find(std::string_view key) const {
  for (const auto& [name, value] : items) {
    if (name == key) return &value;
  }
  return nullptr;
}

void Dict::Set(std::string_view key, Value value) {
  depth = std::max(depth, value.depth() + 1);
  for (auto& [name, old] : items) {
    if (name == key) {
      old = std::move(value);
      return;
    }
  }
  items.emplace_back(std::string(key), std::move(value));
}

const Dict* Value::dict() const {
  if (const auto* held = std::get_if<std::shared_ptr<const Dict>>(&data)) return held->get();
  if (const auto* held = std::get_if<Namespace>(&data)) return held->dict;
  return nullptr;
}

bool Value::truth() const {
  if (const auto* flag = std::get_if<bool>(&data)) return *flag;
  if (const auto* number = std::get_if<int64_t>(&data)) return *number != 0;
  if (const auto* number = std::get_if<double>(&data)) return *number != 0.0;
  if (const std::string* text = string()) return !text->empty();
  if (const List* items = list()) return !items->items.empty();
  if (std::holds_alternative<Namespace>(data)) return true;
  if (const Dict* items = dict()) return !items->items.empty();
  return !is_undefined() && !is_none();
}

int Value::depth() const {
  if (const List* items = list()) return items->depth;
  if (std::holds_alternative<Namespace>(data)) return 0;  // a reference, not an owner
  if (const Dict* items = dict()) return items->depth;
  if (const auto* method = std::get_if<std::shared_ptr<const Method>>(&data)) return (*method)->self.depth() + 1;
  return 0;
}

bool Value::AsInt(int64_t& out) const {
  if (const auto* flag = std::get_if<bool>(&data)) {
    out = *flag ? 1 : 0;
    return true;
  }
  const auto* number = std::get_if<int64_t>(&data);
  if (number != nullptr) out = *number;
  return number != nullptr;
}

bool Value::AsDouble(double& out) const {
  int64_t whole = 0;
  if (AsInt(whole)) {
    out = static_cast<double>(whole);
    return true;
  }
  const auto* number = std::get_if<double>(&data);
  if (number != nullptr) out = *number;
  return number != nullptr;
}

std::string_view Value::type_name() const {
  constexpr std::string_view kNames[] = {"undefined",   "none",     "a boolean",  "an integer",
                                         "a number",    "a string", "a list",     "a mapping",
                                         "a namespace", "a macro",  "a function", "a method"};
  return kNames[data.index()];
}

bool Equal(const Value& a, const Value& b) {
  double x = 0.0;
  double y = 0.0;
  int64_t i = 0;
  int64_t j = 0;
  if (a.AsInt(i) && b.AsInt(j)) return i == j;
  if (a.AsDouble(x) && b.AsDouble(y)) return x == y;
  if (a.data.index() != b.data.index()) return false;
  if (a.string() != nullptr) return *a.string() == *b.string();
  if (a.list() != nullptr) {
    const auto& left = a.list()->items;
    const auto& right = b.list()->items;
    if (left.size() != right.size()) return false;
    for (size_t k = 0; k < left.size(); ++k) {
      if (!Equal(left[k], right[k])) return false;
    }
    return true;
  }
  if (std::holds_alternative<Namespace>(a.data)) return a.dict() == b.dict();
  if (a.dict() != nullptr) {
    if (a.dict()->items.size() != b.dict()->items.size()) return false;
    for (const auto& [key, value] : a.dict()->items) {
      const Value* other = b.dict()->Find(key);
      if (other == nullptr || !Equal(value, *other)) return false;
    }
    return true;
  }
  return a.is_undefined() || a.is_none();
}

bool Compare(const Value& a, const Value& b, int& order) {
  double x = 0.0;
  double y = 0.0;
  int64_t i = 0;
  int64_t j = 0;
  if (a.AsInt(i) && b.AsInt(j)) {
    order = i < j ? -1 : i > j ? 1 : 0;
    return true;
  }
  if (a.AsDouble(x) && b.AsDouble(y)) {
    order = x < y ? -1 : x > y ? 1 : 0;
    return true;
  }
  if (a.string() == nullptr || b.string() == nullptr) return false;
  const int result = a.string()->compare(*b.string());  // UTF-8 sorts as its code points do
  order = result < 0 ? -1 : result > 0 ? 1 : 0;
  return true;
}

std::string ToText(const Value& value, size_t limit) {
  if (value.is_undefined()) return "";
  if (value.is_none()) return "None";
  if (const auto* flag = std::get_if<bool>(&value.data)) return *flag ? "True" : "False";
  if (const auto* number = std::get_if<int64_t>(&value.data)) return StrCat(*number);
  if (const auto* number = std::get_if<double>(&value.data)) return FloatText(*number);
  if (const std::string* text = value.string()) return *text;
  if (value.list() != nullptr || value.dict() != nullptr) {
    std::string out;
    Repr(value, limit, out);
    return out;
  }
  return StrCat("<", value.type_name(), ">");
}

}  // namespace galago::text::jinja
