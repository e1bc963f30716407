#include "src/text/jinja.h"

#include <algorithm>
#include <cmath>

#include "src/base/strings.h"
#include "src/base/utf8.h"
#include "src/text/jinja_run.h"

namespace galago::text {
namespace jinja {
namespace {

// Nested evaluation, macros calling macros included.
constexpr int kMaxRunDepth = 600;

}  // namespace

size_t CountCharacters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::vector<size_t> CharacterOffsets(std::string_view text) {
  std::vector<size_t> offsets;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) offsets.push_back(i);
  }
  offsets.push_back(text.size());
  return offsets;
}

Value Arguments::Get(size_t n, std::string_view name) const {
  if (n < positional.size()) return positional[n];
  for (const auto& [key, value] : named) {
    if (key == name) return value;
  }
  return Value();
}

Status Run::Fail(int line, std::string_view what) const {
  return DataLoss(StrCat("chat template, line ", line, ": ", what));
}

Status Run::Spend(int line, int64_t steps, size_t num_bytes) {
  if (steps > limits_.max_steps - steps_) {
    return OutOfRange(StrCat("chat template, line ", line, ": more than ", limits_.max_steps, " steps"));
  }
  steps_ += steps;
  const size_t max_bytes = limits_.max_output * 4;
  if (num_bytes > max_bytes - bytes_) {
    return OutOfRange(StrCat("chat template, line ", line, ": more than ", max_bytes, " bytes of text on the way"));
  }
  bytes_ += num_bytes;
  return OkStatus();
}

StatusOr<Value> Run::MakeString(int line, std::string text) {
  if (text.size() > limits_.max_output) {
    return OutOfRange(StrCat("chat template, line ", line, ": a text of more than ", limits_.max_output, " bytes"));
  }
  RETURN_IF_ERROR(Spend(line, 1, text.size()));
  return Value(std::move(text));
}

StatusOr<Value> Run::MakeList(int line, std::vector<Value> items) {
  RETURN_IF_ERROR(Spend(line, static_cast<int64_t>(items.size()), items.size() * sizeof(Value)));
  auto list = std::make_shared<List>();
  for (const Value& item : items) list->depth = std::max(list->depth, item.depth() + 1);
  if (list->depth > limits_.max_depth) return Fail(line, StrCat("lists nested more than ", limits_.max_depth, " deep"));
  list->items = std::move(items);
  return Value::Make(std::shared_ptr<const List>(std::move(list)));
}

StatusOr<Value> Run::MakeDict(int line, Dict dict) {
  RETURN_IF_ERROR(Spend(line, static_cast<int64_t>(dict.items.size()), dict.items.size() * sizeof(Value) * 2));
  if (dict.depth > limits_.max_depth)
    return Fail(line, StrCat("mappings nested more than ", limits_.max_depth, " deep"));
  return Value::Make(std::shared_ptr<const Dict>(std::make_shared<Dict>(std::move(dict))));
}

StatusOr<std::string> Run::Render(const Block& block) {
  std::string out;
  ASSIGN_OR_RETURN(const Flow flow, Execute(block, out));
  (void)flow;
  return out;
}

Status Run::Append(int line, std::string& out, std::string_view text) {
  if (text.size() > limits_.max_output - std::min(limits_.max_output, out.size())) {
    return OutOfRange(StrCat("chat template, line ", line, ": more than ", limits_.max_output, " bytes of output"));
  }
  RETURN_IF_ERROR(Spend(line, 1, text.size()));
  out += text;
  return OkStatus();
}

StatusOr<Run::Flow> Run::Execute(const Block& block, std::string& out) {
  for (const auto& stmt : block) {
    ASSIGN_OR_RETURN(const Flow flow, ExecuteOne(*stmt, out));
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

StatusOr<Run::Flow> Run::ExecuteOne(const Stmt& stmt, std::string& out) {
  RETURN_IF_ERROR(Spend(stmt.line, 1, 0));
  switch (stmt.kind) {
    case StmtKind::kText:
      RETURN_IF_ERROR(Append(stmt.line, out, stmt.text));
      return Flow::kNext;
    case StmtKind::kOutput: {
      ASSIGN_OR_RETURN(const Value value, Evaluate(*stmt.value));
      RETURN_IF_ERROR(Append(stmt.line, out, ToText(value, limits_.max_output)));
      return Flow::kNext;
    }
    case StmtKind::kIf:
      for (const auto& [condition, body] : stmt.branches) {
        bool taken = condition == nullptr;
        if (!taken) {
          ASSIGN_OR_RETURN(const Value value, Evaluate(*condition));
          taken = value.truth();
        }
        if (taken) return Execute(body, out);
      }
      return Flow::kNext;
    case StmtKind::kFor:
      return ExecuteFor(stmt, out);
    case StmtKind::kSet:
      RETURN_IF_ERROR(ExecuteSet(stmt));
      return Flow::kNext;
    case StmtKind::kBlockSet: {
      std::string text;
      scopes_.emplace_back();
      StatusOr<Flow> flow = Execute(stmt.body, text);
      scopes_.pop_back();
      if (!flow.ok() || *flow != Flow::kNext) return flow;
      ASSIGN_OR_RETURN(Value value, MakeString(stmt.line, std::move(text)));
      scopes_.back()[stmt.targets[0]] = std::move(value);
      return Flow::kNext;
    }
    case StmtKind::kMacro:
      scopes_.back()[stmt.macro.name] = Value::Make(&stmt.macro);
      return Flow::kNext;
    case StmtKind::kBreak:
      return Flow::kBreak;
    case StmtKind::kContinue:
      return Flow::kContinue;
  }
  return Flow::kNext;
}

StatusOr<std::vector<Value>> Run::Items(int line, const Value& value) {
  std::vector<Value> out;
  if (value.is_undefined()) return out;
  if (const List* list = value.list()) {
    RETURN_IF_ERROR(Spend(line, static_cast<int64_t>(list->items.size()), 0));
    return list->items;
  }
  if (const std::string* text = value.string()) {
    RETURN_IF_ERROR(Spend(line, static_cast<int64_t>(text->size()), text->size() * sizeof(Value)));
    const std::vector<size_t> offsets = CharacterOffsets(*text);
    for (size_t i = 0; i + 1 < offsets.size(); ++i)
      out.emplace_back(text->substr(offsets[i], offsets[i + 1] - offsets[i]));
    return out;
  }
  if (const Dict* dict = value.dict()) {
    RETURN_IF_ERROR(Spend(line, static_cast<int64_t>(dict->items.size()), 0));
    for (const auto& [key, unused] : dict->items) out.emplace_back(key);
    return out;
  }
  return Fail(line, StrCat(value.type_name(), " cannot be looped over"));
}

Status Run::Bind(int line, const std::vector<std::string>& targets, const Value& value) {
  if (targets.size() == 1) {
    scopes_.back()[targets[0]] = value;
    return OkStatus();
  }
  ASSIGN_OR_RETURN(std::vector<Value> items, Items(line, value));
  if (items.size() != targets.size()) {
    return Fail(line, StrCat(targets.size(), " names for ", items.size(), " values"));
  }
  for (size_t i = 0; i < items.size(); ++i) scopes_.back()[targets[i]] = std::move(items[i]);
  return OkStatus();
}

StatusOr<Run::Flow> Run::ExecuteFor(const Stmt& stmt, std::string& out) {
  ASSIGN_OR_RETURN(const Value walked, Evaluate(*stmt.value));
  ASSIGN_OR_RETURN(std::vector<Value> items, Items(stmt.line, walked));
  scopes_.emplace_back();
  const size_t scope = scopes_.size() - 1;
  // Whatever happens inside, the scopes opened here are closed again.
  const auto body = [&]() -> StatusOr<Flow> {
    if (stmt.filter != nullptr) {
      std::vector<Value> kept;
      for (Value& item : items) {
        RETURN_IF_ERROR(Bind(stmt.line, stmt.targets, item));
        ASSIGN_OR_RETURN(const Value wanted, Evaluate(*stmt.filter));
        if (wanted.truth()) kept.push_back(std::move(item));
      }
      items = std::move(kept);
    }
    if (items.empty()) return Execute(stmt.otherwise, out);
    const auto n = static_cast<int64_t>(items.size());
    for (int64_t i = 0; i < n; ++i) {
      const auto at = static_cast<size_t>(i);
      scopes_.resize(scope + 1);
      scopes_[scope].clear();
      Dict loop;
      loop.Set("index", Value(i + 1));
      loop.Set("index0", Value(i));
      loop.Set("revindex", Value(n - i));
      loop.Set("revindex0", Value(n - i - 1));
      loop.Set("first", Value(i == 0));
      loop.Set("last", Value(i + 1 == n));
      loop.Set("length", Value(n));
      if (i > 0) loop.Set("previtem", items[at - 1]);
      if (i + 1 < n) loop.Set("nextitem", items[at + 1]);
      RETURN_IF_ERROR(Spend(stmt.line, 10, 0));
      scopes_[scope]["loop"] = Value::Make(std::shared_ptr<const Dict>(std::make_shared<Dict>(std::move(loop))));
      RETURN_IF_ERROR(Bind(stmt.line, stmt.targets, items[at]));
      ASSIGN_OR_RETURN(const Flow flow, Execute(stmt.body, out));
      if (flow == Flow::kBreak) break;
    }
    return Flow::kNext;
  };
  StatusOr<Flow> flow = body();
  scopes_.resize(scope);
  return flow;
}

Status Run::ExecuteSet(const Stmt& stmt) {
  ASSIGN_OR_RETURN(Value value, Evaluate(*stmt.value));
  if (stmt.attribute.empty()) return Bind(stmt.line, stmt.targets, value);
  const Value target = Lookup(stmt.targets[0]);
  const auto* held = std::get_if<Namespace>(&target.data);
  if (held == nullptr) return Fail(stmt.line, StrCat("\"", stmt.targets[0], "\" is not a namespace"));
  held->dict->Set(stmt.attribute, std::move(value));
  return OkStatus();
}

Value Run::Lookup(std::string_view name) const {
  for (size_t i = scopes_.size(); i-- > 0;) {
    if (i != 0 && i < visible_from_) continue;
    if (const auto it = scopes_[i].find(name); it != scopes_[i].end()) return it->second;
  }
  if (name == "namespace") return Value(Function::kNamespace);
  if (name == "range") return Value(Function::kRange);
  if (name == "raise_exception") return Value(Function::kRaiseException);
  if (name == "dict") return Value(Function::kDict);
  return Value();
}

StatusOr<Value> Run::Evaluate(const Expr& expr) {
  struct Deeper {
    explicit Deeper(int& depth) : depth(depth) { ++depth; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    ~Deeper() { --depth; }
    int& depth;
  };
  const Deeper deeper(depth_);
  if (depth_ > kMaxRunDepth) {
    return OutOfRange(
        StrCat("chat template, line ", expr.line, ": evaluation nested more than ", kMaxRunDepth, " deep"));
  }
  RETURN_IF_ERROR(Spend(expr.line, 1, 0));
  switch (expr.kind) {
    case ExprKind::kLiteral:
      return expr.value;
    case ExprKind::kName:
      return Lookup(expr.text);
    case ExprKind::kList: {
      std::vector<Value> items;
      for (const auto& item : expr.items) {
        ASSIGN_OR_RETURN(Value value, Evaluate(*item));
        items.push_back(std::move(value));
      }
      return MakeList(expr.line, std::move(items));
    }
    case ExprKind::kDict: {
      Dict dict;
      for (size_t i = 0; i + 1 < expr.items.size(); i += 2) {
        ASSIGN_OR_RETURN(const Value key, Evaluate(*expr.items[i]));
        ASSIGN_OR_RETURN(Value value, Evaluate(*expr.items[i + 1]));
        if (key.string() == nullptr)
          return Fail(expr.line, StrCat("the key of a mapping is ", key.type_name(), ", not a string"));
        dict.Set(*key.string(), std::move(value));
      }
      return MakeDict(expr.line, std::move(dict));
    }
    case ExprKind::kUnary: {
      ASSIGN_OR_RETURN(const Value value, Evaluate(*expr.items[0]));
      if (expr.text == "not") return Value(!value.truth());
      return Arithmetic(expr.line, expr.text, Value(int64_t{0}), value);
    }
    case ExprKind::kBinary:
      return EvaluateBinary(expr);
    case ExprKind::kCompare:
      return EvaluateCompare(expr);
    case ExprKind::kTernary: {
      ASSIGN_OR_RETURN(const Value condition, Evaluate(*expr.items[0]));
      if (condition.truth()) return Evaluate(*expr.items[1]);
      return expr.items.size() > 2 ? Evaluate(*expr.items[2]) : Value();
    }
    case ExprKind::kAttribute: {
      ASSIGN_OR_RETURN(const Value object, Evaluate(*expr.items[0]));
      return Attribute(expr.line, object, expr.text);
    }
    case ExprKind::kIndex:
      return EvaluateIndex(expr);
    case ExprKind::kSlice:
      return EvaluateSlice(expr);
    case ExprKind::kCall:
      return EvaluateCall(expr);
    case ExprKind::kFilter: {
      ASSIGN_OR_RETURN(const Value subject, Evaluate(*expr.items[0]));
      ASSIGN_OR_RETURN(const Arguments arguments, EvaluateArguments(expr));
      return ApplyFilter(expr.line, expr.text, subject, arguments);
    }
    case ExprKind::kTest: {
      ASSIGN_OR_RETURN(const Value subject, Evaluate(*expr.items[0]));
      ASSIGN_OR_RETURN(const Arguments arguments, EvaluateArguments(expr));
      ASSIGN_OR_RETURN(const bool result, ApplyTest(expr.line, expr.text, subject, arguments));
      return Value(result != expr.negated);
    }
  }
  return Value();
}

StatusOr<Value> Run::EvaluateBinary(const Expr& expr) {
  ASSIGN_OR_RETURN(Value a, Evaluate(*expr.items[0]));
  if (expr.text == "and" || expr.text == "or") {
    if (a.truth() == (expr.text == "or")) return a;
    return Evaluate(*expr.items[1]);
  }
  ASSIGN_OR_RETURN(const Value b, Evaluate(*expr.items[1]));
  if (expr.text == "~") return MakeString(expr.line, ToText(a, max_text()) + ToText(b, max_text()));
  return Arithmetic(expr.line, expr.text, a, b);
}

StatusOr<Value> Run::Arithmetic(int line, std::string_view op, const Value& a, const Value& b) {
  const auto wrong = [&] { return Fail(line, StrCat("\"", op, "\" of ", a.type_name(), " and ", b.type_name())); };
  if (op == "+" && a.string() != nullptr && b.string() != nullptr) return MakeString(line, *a.string() + *b.string());
  if (op == "+" && a.list() != nullptr && b.list() != nullptr) {
    RETURN_IF_ERROR(Spend(line, static_cast<int64_t>(a.list()->items.size() + b.list()->items.size()), 0));
    std::vector<Value> items = a.list()->items;
    items.insert(items.end(), b.list()->items.begin(), b.list()->items.end());
    return MakeList(line, std::move(items));
  }
  int64_t i = 0;
  int64_t j = 0;
  if (op == "*" && a.string() != nullptr && b.AsInt(j)) {
    const std::string& text = *a.string();
    const auto count = static_cast<size_t>(std::max<int64_t>(0, j));
    if (!text.empty() && count > max_text() / text.size()) {
      return OutOfRange(StrCat("chat template, line ", line, ": a text of more than ", max_text(), " bytes"));
    }
    std::string out;
    if (!text.empty()) {
      out.reserve(text.size() * count);
      for (size_t k = 0; k < count; ++k) out += text;
    }
    return MakeString(line, std::move(out));
  }
  if (a.AsInt(i) && b.AsInt(j) && op != "/") {
    int64_t out = 0;
    bool overflow = false;
    if (op == "+") {
      overflow = __builtin_add_overflow(i, j, &out);
    } else if (op == "-") {
      overflow = __builtin_sub_overflow(i, j, &out);
    } else if (op == "*") {
      overflow = __builtin_mul_overflow(i, j, &out);
    } else {
      if (j == 0) return Fail(line, "division by zero");
      if (j == -1) {
        overflow = op == "//" && __builtin_sub_overflow(int64_t{0}, i, &out);
      } else {
        const int64_t quotient = i / j;
        const int64_t remainder = i % j;
        const bool down = remainder != 0 && (remainder < 0) != (j < 0);  // Python rounds towards minus infinity
        out = op == "//" ? quotient - (down ? 1 : 0) : remainder + (down ? j : 0);
      }
    }
    if (overflow) return Fail(line, "an integer is out of range");
    return Value(out);
  }
  double x = 0.0;
  double y = 0.0;
  if (!a.AsDouble(x) || !b.AsDouble(y)) return wrong();
  if (op == "+") return Value(x + y);
  if (op == "-") return Value(x - y);
  if (op == "*") return Value(x * y);
  if (y == 0.0) return Fail(line, "division by zero");
  if (op == "/") return Value(x / y);
  if (op == "//") return Value(std::floor(x / y));
  return Value(x - y * std::floor(x / y));
}

StatusOr<Value> Run::EvaluateCompare(const Expr& expr) {
  ASSIGN_OR_RETURN(Value left, Evaluate(*expr.items[0]));
  for (size_t i = 0; i < expr.names.size(); ++i) {
    ASSIGN_OR_RETURN(Value right, Evaluate(*expr.items[i + 1]));
    const std::string& op = expr.names[i];
    bool holds = false;
    if (op == "==" || op == "!=") {
      holds = Equal(left, right) == (op == "==");
    } else if (op == "in" || op == "not in") {
      ASSIGN_OR_RETURN(const bool found, ApplyTest(expr.line, "in", left, {{right}, {}}));
      holds = found == (op == "in");
    } else {
      int order = 0;
      if (!Compare(left, right, order)) {
        return Fail(expr.line, StrCat("\"", op, "\" of ", left.type_name(), " and ", right.type_name()));
      }
      holds = op == "<" ? order < 0 : op == "<=" ? order <= 0 : op == ">" ? order > 0 : order >= 0;
    }
    if (!holds) return Value(false);
    left = std::move(right);
  }
  return Value(true);
}

StatusOr<Value> Run::EvaluateIndex(const Expr& expr) {
  ASSIGN_OR_RETURN(const Value object, Evaluate(*expr.items[0]));
  ASSIGN_OR_RETURN(const Value index, Evaluate(*expr.items[1]));
  if (object.is_undefined()) return Fail(expr.line, "an item of an undefined value");
  if (const std::string* key = index.string()) return Attribute(expr.line, object, *key);
  int64_t at = 0;
  if (!index.AsInt(at)) return Fail(expr.line, StrCat("an index is ", index.type_name()));
  if (const List* list = object.list()) {
    const auto n = static_cast<int64_t>(list->items.size());
    if (at < 0) at += n;
    return at >= 0 && at < n ? list->items[static_cast<size_t>(at)] : Value();
  }
  if (const std::string* text = object.string()) {
    RETURN_IF_ERROR(Spend(expr.line, static_cast<int64_t>(text->size() / 64), 0));
    const std::vector<size_t> offsets = CharacterOffsets(*text);
    const auto n = static_cast<int64_t>(offsets.size()) - 1;
    if (at < 0) at += n;
    if (at < 0 || at >= n) return Value();
    const auto k = static_cast<size_t>(at);
    return Value(text->substr(offsets[k], offsets[k + 1] - offsets[k]));
  }
  return Value();
}

StatusOr<Value> Run::EvaluateSlice(const Expr& expr) {
  ASSIGN_OR_RETURN(const Value object, Evaluate(*expr.items[0]));
  std::optional<int64_t> bounds[3];
  for (size_t i = 0; i < 3; ++i) {
    if (expr.items[i + 1] == nullptr) continue;
    ASSIGN_OR_RETURN(const Value value, Evaluate(*expr.items[i + 1]));
    if (value.is_none()) continue;
    int64_t bound = 0;
    if (!value.AsInt(bound)) return Fail(expr.line, StrCat("a slice bound is ", value.type_name()));
    bounds[i] = bound;
  }
  const int64_t step = bounds[2].value_or(1);
  if (step == 0) return Fail(expr.line, "a slice step of zero");
  ASSIGN_OR_RETURN(const std::vector<Value> items, Items(expr.line, object));
  const auto n = static_cast<int64_t>(items.size());
  const auto clamp = [&](std::optional<int64_t> bound, int64_t fallback, int64_t low, int64_t high) {
    if (!bound) return fallback;
    const int64_t at = *bound < 0 ? (*bound < -n ? low : *bound + n) : *bound;
    return std::clamp(at, low, high);
  };
  std::vector<Value> out;
  if (step > 0) {
    const int64_t begin = clamp(bounds[0], 0, 0, n);
    const int64_t end = clamp(bounds[1], n, 0, n);
    for (int64_t i = begin; i<end; i = step> end - i ? end : i + step) out.push_back(items[static_cast<size_t>(i)]);
  } else {
    const int64_t begin = clamp(bounds[0], n - 1, -1, n - 1);
    const int64_t end = clamp(bounds[1], -1, -1, n - 1);
    for (int64_t i = begin; i > end; i = step < end - i ? end : i + step) out.push_back(items[static_cast<size_t>(i)]);
  }
  if (object.string() == nullptr) return MakeList(expr.line, std::move(out));
  std::string text;
  for (const Value& character : out) text += *character.string();
  return MakeString(expr.line, std::move(text));
}

StatusOr<Arguments> Run::EvaluateArguments(const Expr& expr) {
  Arguments out;
  const size_t first_named = expr.items.size() - expr.names.size();
  for (size_t i = expr.first_argument; i < expr.items.size(); ++i) {
    ASSIGN_OR_RETURN(Value value, Evaluate(*expr.items[i]));
    if (i < first_named) {
      out.positional.push_back(std::move(value));
    } else {
      out.named.emplace_back(expr.names[i - first_named], std::move(value));
    }
  }
  return out;
}

StatusOr<Value> Run::EvaluateCall(const Expr& expr) {
  ASSIGN_OR_RETURN(const Value callee, Evaluate(*expr.items[0]));
  ASSIGN_OR_RETURN(const Arguments arguments, EvaluateArguments(expr));
  if (const auto* function = std::get_if<Function>(&callee.data)) return CallFunction(expr.line, *function, arguments);
  if (const auto* macro = std::get_if<const Macro*>(&callee.data)) return CallMacro(expr.line, **macro, arguments);
  if (const auto* method = std::get_if<std::shared_ptr<const Method>>(&callee.data)) {
    return CallMethod(expr.line, **method, arguments);
  }
  const Expr& named = *expr.items[0];
  const std::string name =
      named.text.empty() ? std::string(callee.type_name()) : StrCat("\"", Printable(named.text), "\"");
  return Fail(expr.line, StrCat(name, " is not a function that is supported"));
}

StatusOr<Value> Run::CallFunction(int line, Function function, const Arguments& arguments) {
  switch (function) {
    case Function::kNamespace:
    case Function::kDict: {
      Dict dict;
      for (const Value& from : arguments.positional) {
        if (from.dict() == nullptr) return Fail(line, StrCat("a mapping made of ", from.type_name()));
        for (const auto& [key, value] : from.dict()->items) dict.Set(key, value);
      }
      for (const auto& [key, value] : arguments.named) dict.Set(key, value);
      if (function == Function::kDict) return MakeDict(line, std::move(dict));
      RETURN_IF_ERROR(Spend(line, 1, sizeof(Dict)));
      namespaces_.push_back(std::move(dict));
      return Value::Make(Namespace{&namespaces_.back()});
    }
    case Function::kRange: {
      int64_t bounds[3] = {0, 0, 1};
      const size_t n = arguments.positional.size();
      if (n < 1 || n > 3) return Fail(line, "range takes one to three numbers");
      for (size_t i = 0; i < n; ++i) {
        if (!arguments.positional[i].AsInt(bounds[n == 1 ? 1 : i]))
          return Fail(line, "range of something that is no integer");
      }
      if (bounds[2] == 0) return Fail(line, "range with a step of zero");
      std::vector<Value> items;
      for (int64_t i = bounds[0]; bounds[2] > 0 ? i < bounds[1] : i > bounds[1];) {
        RETURN_IF_ERROR(Spend(line, 1, sizeof(Value)));
        items.emplace_back(i);
        if (__builtin_add_overflow(i, bounds[2], &i)) break;
      }
      return MakeList(line, std::move(items));
    }
    case Function::kRaiseException:
      return DataLoss(StrCat("chat template: ", Printable(ToText(arguments.Get(0, "message"), 1000), 1000)));
  }
  return Value();
}

StatusOr<Value> Run::CallMacro(int line, const Macro& macro, const Arguments& arguments) {
  if (arguments.positional.size() > macro.parameters.size()) {
    return Fail(line, StrCat("macro \"", macro.name, "\" takes ", macro.parameters.size(), " arguments, not ",
                             arguments.positional.size()));
  }
  for (const auto& [name, unused] : arguments.named) {
    if (std::find(macro.parameters.begin(), macro.parameters.end(), name) == macro.parameters.end()) {
      return Fail(line, StrCat("macro \"", macro.name, "\" has no parameter \"", Printable(name), "\""));
    }
  }
  const size_t outer_visible = visible_from_;
  const size_t outer_scopes = scopes_.size();
  scopes_.emplace_back();
  visible_from_ = outer_scopes;
  std::string out;
  const auto body = [&]() -> Status {
    const size_t first_default = macro.parameters.size() - macro.defaults.size();
    for (size_t i = 0; i < macro.parameters.size(); ++i) {
      Value value = arguments.Get(i, macro.parameters[i]);
      if (value.is_undefined() && i >= first_default) {
        ASSIGN_OR_RETURN(value, Evaluate(*macro.defaults[i - first_default]));
      }
      scopes_.back()[macro.parameters[i]] = std::move(value);
    }
    return Execute(macro.body, out).status();
  };
  const Status status = body();
  scopes_.resize(outer_scopes);
  visible_from_ = outer_visible;
  RETURN_IF_ERROR(status);
  return MakeString(line, std::move(out));
}

}  // namespace jinja

struct JinjaTemplate::Program {
  jinja::Block block;
  JinjaLimits limits;
};

JinjaTemplate::JinjaTemplate(std::unique_ptr<const Program> program) : program_(std::move(program)) {}
JinjaTemplate::JinjaTemplate(JinjaTemplate&&) noexcept = default;
JinjaTemplate& JinjaTemplate::operator=(JinjaTemplate&&) noexcept = default;
JinjaTemplate::~JinjaTemplate() = default;

StatusOr<JinjaTemplate> JinjaTemplate::Parse(std::string_view source, const JinjaLimits& limits) {
  if (source.size() > limits.max_source) {
    return OutOfRange(StrCat("chat template of ", source.size(), " bytes, the limit is ", limits.max_source));
  }
  auto program = std::make_unique<Program>();
  program->limits = limits;
  ASSIGN_OR_RETURN(program->block, jinja::ParseJinja(Utf8Sanitize(source), limits.max_depth));
  return JinjaTemplate(std::move(program));
}

StatusOr<std::string> JinjaTemplate::Render(const JinjaInput& input) const {
  jinja::Run run(program_->limits);
  std::vector<jinja::Value> messages;
  for (const JinjaMessage& message : input.messages) {
    jinja::Dict dict;
    dict.Set("role", jinja::Value(message.role));
    dict.Set("content", jinja::Value(message.content));
    ASSIGN_OR_RETURN(jinja::Value value, run.MakeDict(1, std::move(dict)));
    messages.push_back(std::move(value));
  }
  ASSIGN_OR_RETURN(jinja::Value list, run.MakeList(1, std::move(messages)));
  run.SetGlobal("messages", std::move(list));
  run.SetGlobal("bos_token", jinja::Value(input.bos_token));
  run.SetGlobal("eos_token", jinja::Value(input.eos_token));
  run.SetGlobal("add_generation_prompt", jinja::Value(input.add_generation_prompt));
  // transformers passes these two always; without tools and documents they are None.
  run.SetGlobal("tools", jinja::Value::MakeNone());
  run.SetGlobal("documents", jinja::Value::MakeNone());
  return run.Render(program_->block);
}

}  // namespace galago::text
