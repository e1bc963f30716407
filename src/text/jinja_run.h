#ifndef GALAGO_TEXT_JINJA_RUN_H_
#define GALAGO_TEXT_JINJA_RUN_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/text/jinja.h"
#include "src/text/jinja_parser.h"
#include "src/text/jinja_value.h"

namespace galago::text::jinja {

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
  // The n-th positional argument, or the named one; undefined if absent.
  Value Get(size_t n, std::string_view name) const;
};

// One rendering: scopes, output and the budgets.
class Run {
 public:
  explicit Run(const JinjaLimits& limits) : limits_(limits), scopes_(1) {}

  void SetGlobal(std::string_view name, Value value) { scopes_.front()[std::string(name)] = std::move(value); }
  StatusOr<std::string> Render(const Block& block);

  // For built-ins (jinja_builtins.cc), which report failures with the line of the expression.
  Status Fail(int line, std::string_view what) const;
  // Accounts for work and for memory taken by values on the way.
  Status Spend(int line, int64_t steps, size_t num_bytes);
  StatusOr<Value> MakeString(int line, std::string text);
  StatusOr<Value> MakeList(int line, std::vector<Value> items);
  StatusOr<Value> MakeDict(int line, Dict dict);
  size_t max_text() const { return limits_.max_output; }

  StatusOr<Value> Attribute(int line, const Value& object, std::string_view name);
  StatusOr<std::vector<Value>> Items(int line, const Value& value);  // what a loop over it sees
  StatusOr<Value> ApplyFilter(int line, std::string_view name, const Value& subject, const Arguments& arguments);
  StatusOr<bool> ApplyTest(int line, std::string_view name, const Value& subject, const Arguments& arguments);

 private:
  enum class Flow { kNext, kBreak, kContinue };
  using Scope = std::map<std::string, Value, std::less<>>;

  StatusOr<Flow> Execute(const Block& block, std::string& out);
  StatusOr<Flow> ExecuteOne(const Stmt& stmt, std::string& out);
  StatusOr<Flow> ExecuteFor(const Stmt& stmt, std::string& out);
  Status ExecuteSet(const Stmt& stmt);
  Status Append(int line, std::string& out, std::string_view text);
  Status Bind(int line, const std::vector<std::string>& targets, const Value& value);

  StatusOr<Value> Evaluate(const Expr& expr);
  StatusOr<Value> EvaluateBinary(const Expr& expr);
  StatusOr<Value> EvaluateCompare(const Expr& expr);
  StatusOr<Value> EvaluateIndex(const Expr& expr);
  StatusOr<Value> EvaluateSlice(const Expr& expr);
  StatusOr<Value> EvaluateCall(const Expr& expr);
  StatusOr<Arguments> EvaluateArguments(const Expr& expr);
  StatusOr<Value> CallFunction(int line, Function function, const Arguments& arguments);
  StatusOr<Value> CallMacro(int line, const Macro& macro, const Arguments& arguments);
  StatusOr<Value> CallMethod(int line, const Method& method, const Arguments& arguments);
  StatusOr<Value> ApplyListFilter(int line, std::string_view name, const Value& subject, const Arguments& arguments);
  StatusOr<Value> Arithmetic(int line, std::string_view op, const Value& a, const Value& b);
  Value Lookup(std::string_view name) const;

  const JinjaLimits& limits_;
  std::vector<Scope> scopes_;
  size_t visible_from_ = 1;  // scopes [visible_from_, end) and the first one are seen
  std::deque<Dict> namespaces_;
  int64_t steps_ = 0;
  size_t bytes_ = 0;
  int depth_ = 0;
};

// Python's len of a string counts characters.
size_t CountCharacters(std::string_view text);
// Byte offset of every character, and the end.
std::vector<size_t> CharacterOffsets(std::string_view text);

}  // namespace galago::text::jinja

#endif  // GALAGO_TEXT_JINJA_RUN_H_
