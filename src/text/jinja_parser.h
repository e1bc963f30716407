#ifndef GALAGO_TEXT_JINJA_PARSER_H_
#define GALAGO_TEXT_JINJA_PARSER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/text/jinja_value.h"

namespace galago::text::jinja {

enum class ExprKind {
  kLiteral,    // value
  kName,       // text
  kList,       // items
  kDict,       // items: key, value, key, value, ...
  kUnary,      // text: "not", "-", "+"; items[0]
  kBinary,     // text: operator; items[0], items[1]. "and" and "or" stop early
  kCompare,    // items[0], then names[i] and items[i + 1]: a < b <= c
  kTernary,    // items: condition, then, [else]
  kAttribute,  // items[0] . text
  kIndex,      // items[0] [ items[1] ]
  kSlice,      // items[0] [ items[1] : items[2] : items[3] ], absent parts null
  kCall,       // items[0] ( arguments )
  kFilter,     // items[0] | text ( arguments )
  kTest        // items[0] is text ( arguments ); negated
};

struct Expr {
  ExprKind kind = ExprKind::kLiteral;
  int line = 0;
  int depth = 1;
  std::string text;
  Value value;
  bool negated = false;
  std::vector<std::unique_ptr<Expr>> items;
  std::vector<std::string> names;  // kCompare: operators; kCall, kFilter, kTest: names of the last arguments
  size_t first_argument = 1;       // kCall, kFilter, kTest: arguments are items[first_argument ...]
};
using ExprPtr = std::unique_ptr<Expr>;

enum class StmtKind { kText, kOutput, kIf, kFor, kSet, kBlockSet, kMacro, kBreak, kContinue };

struct Stmt;
using Block = std::vector<std::unique_ptr<Stmt>>;

struct Macro {
  std::string name;
  std::vector<std::string> parameters;
  std::vector<ExprPtr> defaults;  // of the last parameters
  Block body;
};

struct Stmt {
  StmtKind kind = StmtKind::kText;
  int line = 0;
  std::string text;                                 // kText
  std::vector<std::string> targets;                 // kFor, kSet: names
  std::string attribute;                            // kSet: targets[0].attribute = ...
  ExprPtr value;                                    // kOutput, kSet, kFor (what is walked)
  ExprPtr filter;                                   // kFor: the `if` behind it
  std::vector<std::pair<ExprPtr, Block>> branches;  // kIf: condition (null for else) and body
  Block body;                                       // kFor, kBlockSet
  Block otherwise;                                  // kFor
  Macro macro;                                      // kMacro
};

// Parses a template with trim_blocks and lstrip_blocks on. Errors name the line.
StatusOr<Block> ParseJinja(std::string_view source, int max_depth);

}  // namespace galago::text::jinja

#endif  // GALAGO_TEXT_JINJA_PARSER_H_
