#ifndef GALAGO_TEXT_JINJA_VALUE_H_
#define GALAGO_TEXT_JINJA_VALUE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// Values of the template language: Python's, as far as templates can see them.
namespace galago::text::jinja {

struct Value;
struct Macro;  // defined by the parser's tree

struct Undefined {
  bool operator==(const Undefined&) const = default;
};
struct None {
  bool operator==(const None&) const = default;
};
// How deep containers nest is stored, so that making, comparing and destroying them never recurses without bound.
struct List {
  std::vector<Value> items;
  int depth = 1;
};
struct Dict {
  std::vector<std::pair<std::string, Value>> items;  // in order of insertion
  int depth = 1;
  const Value* Find(std::string_view key) const;
  void Set(std::string_view key, Value value);
};
// The only thing that changes; owned by the run, so that one may hold another without a cycle of owners.
struct Namespace {
  Dict* dict = nullptr;
};
enum class Function { kNamespace, kRange, kRaiseException, kDict };
// A method not yet called: 'text'.strip
struct Method;

struct Value {
  std::variant<Undefined, None, bool, int64_t, double, std::shared_ptr<const std::string>, std::shared_ptr<const List>,
               std::shared_ptr<const Dict>, Namespace, const Macro*, Function, std::shared_ptr<const Method>>
      data;

  Value() = default;
  explicit Value(bool value) : data(value) {}
  explicit Value(int64_t value) : data(value) {}
  explicit Value(double value) : data(value) {}
  explicit Value(std::string value) : data(std::make_shared<const std::string>(std::move(value))) {}
  explicit Value(Function value) : data(value) {}
  static Value MakeNone() { return Make(None{}); }
  template <class T>
  static Value Make(T value) {
    Value out;
    out.data = std::move(value);
    return out;
  }

  bool is_undefined() const { return std::holds_alternative<Undefined>(data); }
  bool is_none() const { return std::holds_alternative<None>(data); }
  bool is_number() const {
    return std::holds_alternative<bool>(data) || std::holds_alternative<int64_t>(data) ||
           std::holds_alternative<double>(data);
  }
  const std::string* string() const {
    const auto* held = std::get_if<std::shared_ptr<const std::string>>(&data);
    return held == nullptr ? nullptr : held->get();
  }
  const List* list() const {
    const auto* held = std::get_if<std::shared_ptr<const List>>(&data);
    return held == nullptr ? nullptr : held->get();
  }
  const Dict* dict() const;  // of a namespace too
  bool truth() const;
  int depth() const;
  // bool and int64_t as a number; false for others.
  bool AsInt(int64_t& out) const;
  bool AsDouble(double& out) const;
  std::string_view type_name() const;  // for messages
};

struct Method {
  Value self;
  std::string name;
};

bool Equal(const Value& a, const Value& b);
// -1, 0, 1; false if the two have no order.
bool Compare(const Value& a, const Value& b, int& order);
// Python's str(); `limit`: stop adding once the text is longer (the caller then refuses it).
std::string ToText(const Value& value, size_t limit);

}  // namespace galago::text::jinja

#endif  // GALAGO_TEXT_JINJA_VALUE_H_
