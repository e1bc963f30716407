#include "src/text/jinja_parser.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "src/base/strings.h"
#include "src/base/utf8.h"

namespace galago::text::jinja {
namespace {

// Left-leaning chains (a ~ b ~ c ...) nest in the tree without nesting in the source.
constexpr int kMaxTreeDepth = 250;

Status Error(int line, std::string_view what) { return DataLoss(StrCat("chat template, line ", line, ": ", what)); }

enum class TokenKind {
  kEnd,
  kText,
  kOpenOutput,
  kCloseOutput,
  kOpenBlock,
  kCloseBlock,
  kName,
  kString,
  kInt,
  kFloat,
  kOperator
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  int line = 0;
  std::string text;
  int64_t integer = 0;
  double number = 0.0;
};

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {
    // Jinja drops one newline at the very end.
    if (source_.ends_with("\n")) source_.remove_suffix(1);
    if (source_.ends_with("\r")) source_.remove_suffix(1);
  }

  StatusOr<std::vector<Token>> Run() {
    bool strip_left = false;    // the tag before ended in "-"
    bool trim_newline = false;  // the tag before was a block or a comment
    while (at_ < source_.size()) {
      const size_t tag = NextTag(at_);
      std::string_view text = source_.substr(at_, tag - at_);
      const int line = line_;
      line_ += static_cast<int>(std::count(text.begin(), text.end(), '\n'));
      if (strip_left) {
        while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
      } else if (trim_newline) {
        if (text.starts_with("\r\n")) {
          text.remove_prefix(2);
        } else if (text.starts_with("\n")) {
          text.remove_prefix(1);
        }
      }
      if (tag == source_.size()) {
        Emit(TokenKind::kText, line, text);
        break;
      }
      const char kind = source_[tag + 1];
      at_ = tag + 2;
      const char sign = at_ < source_.size() ? source_[at_] : ' ';
      if (sign == '-') {
        while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
        ++at_;
      } else if (kind != '{' && sign != '+') {
        text = WithoutIndent(text, tag);
      }
      if (sign == '+' && kind != '{') ++at_;
      Emit(TokenKind::kText, line, text);
      char end_sign = ' ';
      if (kind == '#') {
        const size_t end = source_.find("#}", at_);
        if (end == std::string_view::npos) return Error(line_, "the comment does not end");
        if (end > at_) end_sign = source_[end - 1];
        line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                             source_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
        at_ = end + 2;
      } else {
        RETURN_IF_ERROR(Tag(kind == '{', end_sign));
      }
      strip_left = end_sign == '-';
      trim_newline = kind != '{' && end_sign != '+';
    }
    Emit(TokenKind::kEnd, line_, "");
    return std::move(tokens_);
  }

 private:
  void Emit(TokenKind kind, int line, std::string_view text) {
    if (kind == TokenKind::kText && text.empty()) return;
    Token token;
    token.kind = kind;
    token.line = line;
    token.text = text;
    tokens_.push_back(std::move(token));
  }

  size_t NextTag(size_t from) const {
    for (size_t i = from; i + 1 < source_.size(); ++i) {
      if (source_[i] == '{' && (source_[i + 1] == '{' || source_[i + 1] == '%' || source_[i + 1] == '#')) return i;
    }
    return source_.size();
  }

  // lstrip_blocks: blanks between the start of the line and the tag go.
  std::string_view WithoutIndent(std::string_view text, size_t tag) const {
    size_t begin = tag;
    while (begin > 0 && (source_[begin - 1] == ' ' || source_[begin - 1] == '\t')) --begin;
    if (begin > 0 && source_[begin - 1] != '\n') return text;
    return text.substr(0, text.size() - std::min(text.size(), tag - begin));
  }

  Status Tag(bool output, char& end_sign) {
    Emit(output ? TokenKind::kOpenOutput : TokenKind::kOpenBlock, line_, "");
    const std::string_view close = output ? "}}" : "%}";
    int braces = 0;
    while (true) {
      while (at_ < source_.size() && IsSpace(source_[at_])) {
        if (source_[at_] == '\n') ++line_;
        ++at_;
      }
      if (at_ >= source_.size()) return Error(line_, "the tag does not end");
      const std::string_view rest = source_.substr(at_);
      if (braces == 0) {
        if (rest.starts_with(close)) {
          at_ += 2;
          break;
        }
        if ((rest.front() == '-' || rest.front() == '+') && rest.substr(1).starts_with(close)) {
          end_sign = rest.front();
          at_ += 3;
          break;
        }
      }
      if (rest.front() == '{') ++braces;
      if (rest.front() == '}') --braces;
      RETURN_IF_ERROR(One(rest));
    }
    Emit(output ? TokenKind::kCloseOutput : TokenKind::kCloseBlock, line_, "");
    return OkStatus();
  }

  Status One(std::string_view rest) {
    const char c = rest.front();
    if (IsNameStart(c)) {
      size_t n = 1;
      while (n < rest.size() && (IsNameStart(rest[n]) || IsDigit(rest[n]))) ++n;
      Emit(TokenKind::kName, line_, rest.substr(0, n));
      at_ += n;
      return OkStatus();
    }
    if (IsDigit(c)) return Number(rest);
    if (c == '\'' || c == '"') return String(rest);
    for (const std::string_view op : {"==", "!=", "<=", ">=", "//", "**"}) {
      if (rest.starts_with(op)) {
        Emit(TokenKind::kOperator, line_, op);
        at_ += 2;
        return OkStatus();
      }
    }
    if (std::string_view("+-*/%~<>=()[]{},.:|").find(c) == std::string_view::npos) {
      return Error(line_, StrCat("unexpected character \"", Printable(rest.substr(0, 1)), "\""));
    }
    Emit(TokenKind::kOperator, line_, rest.substr(0, 1));
    ++at_;
    return OkStatus();
  }

  Status Number(std::string_view rest) {
    size_t n = 0;
    bool is_float = false;
    while (n < rest.size() && (IsDigit(rest[n]) || rest[n] == '_' ||
                               (rest[n] == '.' && !is_float && n + 1 < rest.size() && IsDigit(rest[n + 1])))) {
      is_float = is_float || rest[n] == '.';
      ++n;
    }
    const std::string digits = ReplaceAll(std::string(rest.substr(0, n)), "_", "");
    Token token;
    token.line = line_;
    const char* end = digits.data() + digits.size();
    const auto result = is_float ? std::from_chars(digits.data(), end, token.number)
                                 : std::from_chars(digits.data(), end, token.integer);
    if (result.ec != std::errc()) return Error(line_, StrCat("number ", Printable(digits), " is out of range"));
    token.kind = is_float ? TokenKind::kFloat : TokenKind::kInt;
    tokens_.push_back(std::move(token));
    at_ += n;
    return OkStatus();
  }

  Status String(std::string_view rest) {
    const char quote = rest.front();
    const int line = line_;
    std::string out;
    size_t i = 1;
    while (i < rest.size() && rest[i] != quote) {
      if (rest[i] == '\n') ++line_;
      if (rest[i] != '\\' || i + 1 >= rest.size()) {
        out += rest[i++];
        continue;
      }
      const char escaped = rest[i + 1];
      i += 2;
      switch (escaped) {
        case 'n':
          out += '\n';
          break;
        case 't':
          out += '\t';
          break;
        case 'r':
          out += '\r';
          break;
        case '\\':
        case '\'':
        case '"':
          out += escaped;
          break;
        case 'x':
        case 'u': {
          const size_t digits = escaped == 'x' ? 2 : 4;
          uint32_t code = 0;
          const std::string_view hex = rest.substr(std::min(i, rest.size()), digits);
          const auto parsed = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
          if (hex.size() != digits || parsed.ptr != hex.data() + digits || (code >= 0xd800 && code < 0xe000)) {
            return Error(line, StrCat("malformed \\", escaped, " in a string"));
          }
          Utf8Append(out, code);
          i += digits;
          break;
        }
        default:  // unknown escapes stay as they are, as in Python
          out += '\\';
          out += escaped;
      }
    }
    if (i >= rest.size()) return Error(line, "the string does not end");
    Emit(TokenKind::kString, line, "");
    tokens_.back().text = std::move(out);
    at_ += i + 1;
    return OkStatus();
  }

  std::string_view source_;
  size_t at_ = 0;
  int line_ = 1;
  std::vector<Token> tokens_;
};

class Parser {
 public:
  Parser(std::vector<Token> tokens, int max_depth) : tokens_(std::move(tokens)), max_depth_(max_depth) {}

  StatusOr<Block> Run() {
    ASSIGN_OR_RETURN(Block block, ParseBlock({}));
    return block;
  }

 private:
  const Token& Peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  Token Take() {
    Token token = Peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool Is(TokenKind kind, std::string_view text) const { return Peek().kind == kind && Peek().text == text; }
  bool IsOp(std::string_view text) const { return Is(TokenKind::kOperator, text); }
  bool IsWord(std::string_view text) const { return Is(TokenKind::kName, text); }
  bool TakeOp(std::string_view text) {
    if (!IsOp(text)) return false;
    Take();
    return true;
  }
  bool TakeWord(std::string_view text) {
    if (!IsWord(text)) return false;
    Take();
    return true;
  }
  Status Fail(std::string_view what) const { return Error(Peek().line, what); }
  std::string Found() const {
    switch (Peek().kind) {
      case TokenKind::kEnd:
        return "the end of the template";
      case TokenKind::kCloseBlock:
      case TokenKind::kCloseOutput:
        return "the end of the tag";
      default:
        return StrCat("\"", Printable(Peek().text), "\"");
    }
  }
  Status ExpectOp(std::string_view text) {
    return TakeOp(text) ? OkStatus() : Fail(StrCat("expected \"", text, "\", found ", Found()));
  }
  Status ExpectClose() {
    if (Peek().kind != TokenKind::kCloseBlock) return Fail(StrCat("expected the end of the tag, found ", Found()));
    Take();
    return OkStatus();
  }
  StatusOr<std::string> ExpectName() {
    if (Peek().kind != TokenKind::kName) return Fail(StrCat("expected a name, found ", Found()));
    return Take().text;
  }

  // Counts nesting for as long as it lives.
  struct Nest {
    explicit Nest(int& depth) : depth(depth) { ++depth; }
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;
    ~Nest() { --depth; }
    int& depth;
  };
  Status CheckDepth() const {
    return depth_ > max_depth_ ? Fail(StrCat("nested more than ", max_depth_, " deep")) : OkStatus();
  }

  // ----------------------------------------------------------------------------------------------------- Statements

  // Until a block tag that begins with one of `ends`; that tag is left at its name.
  StatusOr<Block> ParseBlock(const std::vector<std::string_view>& ends) {
    const Nest nest(depth_);
    RETURN_IF_ERROR(CheckDepth());
    Block block;
    while (true) {
      const Token token = Peek();
      switch (token.kind) {
        case TokenKind::kEnd:
          if (!ends.empty()) return Fail(StrCat("the template ends before \"", ends.back(), "\""));
          return block;
        case TokenKind::kText: {
          auto stmt = MakeStmt(StmtKind::kText);
          stmt->text = Take().text;
          block.push_back(std::move(stmt));
          break;
        }
        case TokenKind::kOpenOutput: {
          auto stmt = MakeStmt(StmtKind::kOutput);
          Take();
          ASSIGN_OR_RETURN(stmt->value, ParseExpression());
          if (Peek().kind != TokenKind::kCloseOutput) return Fail(StrCat("expected \"}}\", found ", Found()));
          Take();
          block.push_back(std::move(stmt));
          break;
        }
        case TokenKind::kOpenBlock: {
          Take();
          const std::string word = Peek().kind == TokenKind::kName ? Peek().text : "";
          if (std::find(ends.begin(), ends.end(), word) != ends.end()) return block;
          RETURN_IF_ERROR(ParseStatement(word, block));
          break;
        }
        default:
          return Fail(StrCat("unexpected ", Found()));
      }
    }
  }

  std::unique_ptr<Stmt> MakeStmt(StmtKind kind) const {
    auto stmt = std::make_unique<Stmt>();
    stmt->kind = kind;
    stmt->line = Peek().line;
    return stmt;
  }

  Status ParseStatement(const std::string& word, Block& block) {
    if (word == "if") return ParseIf(block);
    if (word == "for") return ParseFor(block);
    if (word == "set") return ParseSet(block);
    if (word == "macro") return ParseMacro(block);
    if (word == "break" || word == "continue") {
      if (loops_ == 0) return Fail(StrCat("\"", word, "\" outside a loop"));
      block.push_back(MakeStmt(word == "break" ? StmtKind::kBreak : StmtKind::kContinue));
      Take();
      return ExpectClose();
    }
    if (word == "generation") {  // transformers' marker of what the assistant says; it changes no text
      Take();
      RETURN_IF_ERROR(ExpectClose());
      ASSIGN_OR_RETURN(Block body, ParseBlock({"endgeneration"}));
      Take();
      RETURN_IF_ERROR(ExpectClose());
      for (auto& stmt : body) block.push_back(std::move(stmt));
      return OkStatus();
    }
    return Fail(StrCat("statement ", Found(), " is not supported"));
  }

  Status ParseIf(Block& block) {
    auto stmt = MakeStmt(StmtKind::kIf);
    Take();
    ASSIGN_OR_RETURN(ExprPtr condition, ParseExpression());
    RETURN_IF_ERROR(ExpectClose());
    while (true) {
      ASSIGN_OR_RETURN(Block body, ParseBlock({"elif", "else", "endif"}));
      const bool was_else = condition == nullptr;
      stmt->branches.emplace_back(std::move(condition), std::move(body));
      if (TakeWord("endif")) break;
      if (was_else) return Fail("a branch after \"else\"");
      if (TakeWord("elif")) {
        ASSIGN_OR_RETURN(condition, ParseExpression());
      } else {
        Take();  // else
        condition = nullptr;
      }
      RETURN_IF_ERROR(ExpectClose());
    }
    block.push_back(std::move(stmt));
    return ExpectClose();
  }

  StatusOr<std::vector<std::string>> ParseTargets() {
    const bool parenthesis = TakeOp("(");
    std::vector<std::string> out;
    do {
      ASSIGN_OR_RETURN(std::string name, ExpectName());
      out.push_back(std::move(name));
    } while (TakeOp(","));
    if (parenthesis) RETURN_IF_ERROR(ExpectOp(")"));
    return out;
  }

  Status ParseFor(Block& block) {
    auto stmt = MakeStmt(StmtKind::kFor);
    Take();
    ASSIGN_OR_RETURN(stmt->targets, ParseTargets());
    if (!TakeWord("in")) return Fail(StrCat("expected \"in\", found ", Found()));
    ASSIGN_OR_RETURN(stmt->value, ParseOr());  // no ternary here: its `if` is the loop's
    if (TakeWord("if")) {
      ASSIGN_OR_RETURN(stmt->filter, ParseExpression());
    }
    if (IsWord("recursive")) return Fail("recursive loops are not supported");
    RETURN_IF_ERROR(ExpectClose());
    ++loops_;
    ASSIGN_OR_RETURN(stmt->body, ParseBlock({"else", "endfor"}));
    --loops_;
    if (TakeWord("else")) {
      RETURN_IF_ERROR(ExpectClose());
      ASSIGN_OR_RETURN(stmt->otherwise, ParseBlock({"endfor"}));
    }
    Take();  // endfor
    block.push_back(std::move(stmt));
    return ExpectClose();
  }

  Status ParseSet(Block& block) {
    auto stmt = MakeStmt(StmtKind::kSet);
    Take();
    ASSIGN_OR_RETURN(stmt->targets, ParseTargets());
    if (stmt->targets.size() == 1 && TakeOp(".")) {
      ASSIGN_OR_RETURN(stmt->attribute, ExpectName());
    }
    if (TakeOp("=")) {
      ASSIGN_OR_RETURN(stmt->value, ParseTuple());
    } else {
      if (stmt->targets.size() != 1) return Fail(StrCat("expected \"=\", found ", Found()));
      stmt->kind = StmtKind::kBlockSet;
      RETURN_IF_ERROR(ExpectClose());
      ASSIGN_OR_RETURN(stmt->body, ParseBlock({"endset"}));
      Take();
    }
    block.push_back(std::move(stmt));
    return ExpectClose();
  }

  Status ParseMacro(Block& block) {
    auto stmt = MakeStmt(StmtKind::kMacro);
    Take();
    ASSIGN_OR_RETURN(stmt->macro.name, ExpectName());
    RETURN_IF_ERROR(ExpectOp("("));
    while (!IsOp(")")) {
      ASSIGN_OR_RETURN(std::string name, ExpectName());
      stmt->macro.parameters.push_back(std::move(name));
      if (TakeOp("=")) {
        ASSIGN_OR_RETURN(ExprPtr value, ParseExpression());
        stmt->macro.defaults.push_back(std::move(value));
      } else if (!stmt->macro.defaults.empty()) {
        return Fail("a parameter without a default after one with a default");
      }
      if (!TakeOp(",")) break;
    }
    RETURN_IF_ERROR(ExpectOp(")"));
    RETURN_IF_ERROR(ExpectClose());
    const int outer_loops = loops_;
    loops_ = 0;
    ASSIGN_OR_RETURN(stmt->macro.body, ParseBlock({"endmacro"}));
    loops_ = outer_loops;
    Take();
    block.push_back(std::move(stmt));
    return ExpectClose();
  }

  // ---------------------------------------------------------------------------------------------------- Expressions

  ExprPtr MakeExpr(ExprKind kind, std::string_view text = {}) const {
    auto expr = std::make_unique<Expr>();
    expr->kind = kind;
    expr->line = Peek().line;
    expr->text = text;
    return expr;
  }
  Status Adopt(Expr& parent, ExprPtr child) {
    if (child != nullptr) parent.depth = std::max(parent.depth, child->depth + 1);
    parent.items.push_back(std::move(child));
    return parent.depth > kMaxTreeDepth ? Fail(StrCat("an expression nested more than ", kMaxTreeDepth, " deep"))
                                        : OkStatus();
  }

  StatusOr<ExprPtr> ParseExpression() {
    const Nest nest(depth_);
    RETURN_IF_ERROR(CheckDepth());
    ASSIGN_OR_RETURN(ExprPtr out, ParseOr());
    while (IsWord("if")) {
      ExprPtr ternary = MakeExpr(ExprKind::kTernary);
      Take();
      ASSIGN_OR_RETURN(ExprPtr condition, ParseOr());
      RETURN_IF_ERROR(Adopt(*ternary, std::move(condition)));
      RETURN_IF_ERROR(Adopt(*ternary, std::move(out)));
      if (TakeWord("else")) {
        ASSIGN_OR_RETURN(ExprPtr otherwise, ParseExpression());
        RETURN_IF_ERROR(Adopt(*ternary, std::move(otherwise)));
      }
      out = std::move(ternary);
    }
    return out;
  }

  // a, b, c without brackets is a list of three; one alone is itself.
  StatusOr<ExprPtr> ParseTuple() {
    ASSIGN_OR_RETURN(ExprPtr first, ParseExpression());
    if (!IsOp(",")) return first;
    ExprPtr list = MakeExpr(ExprKind::kList);
    RETURN_IF_ERROR(Adopt(*list, std::move(first)));
    while (TakeOp(",")) {
      ASSIGN_OR_RETURN(ExprPtr item, ParseExpression());
      RETURN_IF_ERROR(Adopt(*list, std::move(item)));
    }
    return list;
  }

  using Rule = StatusOr<ExprPtr> (Parser::*)();

  StatusOr<ExprPtr> ParseChain(Rule next, std::initializer_list<std::string_view> operators, bool words) {
    ASSIGN_OR_RETURN(ExprPtr left, (this->*next)());
    while (true) {
      const auto found = std::find_if(operators.begin(), operators.end(),
                                      [&](std::string_view op) { return words ? IsWord(op) : IsOp(op); });
      if (found == operators.end()) return left;
      ExprPtr binary = MakeExpr(ExprKind::kBinary, *found);
      Take();
      ASSIGN_OR_RETURN(ExprPtr right, (this->*next)());
      RETURN_IF_ERROR(Adopt(*binary, std::move(left)));
      RETURN_IF_ERROR(Adopt(*binary, std::move(right)));
      left = std::move(binary);
    }
  }

  StatusOr<ExprPtr> ParseOr() { return ParseChain(&Parser::ParseAnd, {"or"}, true); }
  StatusOr<ExprPtr> ParseAnd() { return ParseChain(&Parser::ParseNot, {"and"}, true); }
  StatusOr<ExprPtr> ParseNot() {
    if (!IsWord("not")) return ParseCompare();
    const Nest nest(depth_);
    RETURN_IF_ERROR(CheckDepth());
    ExprPtr out = MakeExpr(ExprKind::kUnary, "not");
    Take();
    ASSIGN_OR_RETURN(ExprPtr item, ParseNot());
    RETURN_IF_ERROR(Adopt(*out, std::move(item)));
    return out;
  }
  StatusOr<ExprPtr> ParseCompare() {
    ASSIGN_OR_RETURN(ExprPtr first, ParseSum());
    ExprPtr compare;
    while (true) {
      std::string op;
      for (const std::string_view known : {"==", "!=", "<", "<=", ">", ">="}) {
        if (IsOp(known)) op = known;
      }
      if (IsWord("in")) op = "in";
      if (IsWord("not") && Peek(1).kind == TokenKind::kName && Peek(1).text == "in") {
        Take();
        op = "not in";
      }
      if (op.empty()) return compare != nullptr ? std::move(compare) : std::move(first);
      if (compare == nullptr) {
        compare = MakeExpr(ExprKind::kCompare);
        RETURN_IF_ERROR(Adopt(*compare, std::move(first)));
      }
      Take();
      ASSIGN_OR_RETURN(ExprPtr right, ParseSum());
      compare->names.push_back(std::move(op));
      RETURN_IF_ERROR(Adopt(*compare, std::move(right)));
    }
  }
  StatusOr<ExprPtr> ParseSum() { return ParseChain(&Parser::ParseConcat, {"+", "-"}, false); }
  StatusOr<ExprPtr> ParseConcat() { return ParseChain(&Parser::ParseProduct, {"~"}, false); }
  StatusOr<ExprPtr> ParseProduct() { return ParseChain(&Parser::ParseUnary, {"*", "/", "//", "%"}, false); }
  StatusOr<ExprPtr> ParseUnary() { return ParseSigned(/*with_filters=*/true); }

  StatusOr<ExprPtr> ParseSigned(bool with_filters) {
    const Nest nest(depth_);
    RETURN_IF_ERROR(CheckDepth());
    ExprPtr out;
    if (IsOp("-") || IsOp("+")) {
      out = MakeExpr(ExprKind::kUnary, Peek().text);
      Take();
      ASSIGN_OR_RETURN(ExprPtr item, ParseSigned(/*with_filters=*/false));
      RETURN_IF_ERROR(Adopt(*out, std::move(item)));
    } else {
      ASSIGN_OR_RETURN(out, ParsePrimary());
    }
    ASSIGN_OR_RETURN(out, ParsePostfix(std::move(out)));
    if (IsOp("**")) return Fail("operator \"**\" is not supported");
    if (!with_filters) return out;
    return ParseFilters(std::move(out));
  }

  StatusOr<ExprPtr> ParsePrimary() {
    const Token token = Peek();
    switch (token.kind) {
      case TokenKind::kName: {
        Take();
        ExprPtr out = MakeExpr(ExprKind::kLiteral);
        out->line = token.line;
        if (token.text == "true" || token.text == "True") {
          out->value = Value(true);
        } else if (token.text == "false" || token.text == "False") {
          out->value = Value(false);
        } else if (token.text == "none" || token.text == "None") {
          out->value = Value::MakeNone();
        } else {
          out->kind = ExprKind::kName;
          out->text = token.text;
        }
        return out;
      }
      case TokenKind::kString: {
        ExprPtr out = MakeExpr(ExprKind::kLiteral);
        std::string text;
        while (Peek().kind == TokenKind::kString) text += Take().text;
        out->value = Value(std::move(text));
        return out;
      }
      case TokenKind::kInt:
      case TokenKind::kFloat: {
        ExprPtr out = MakeExpr(ExprKind::kLiteral);
        Take();
        out->value = token.kind == TokenKind::kInt ? Value(token.integer) : Value(token.number);
        return out;
      }
      case TokenKind::kOperator:
        if (token.text == "(") return ParseParenthesis();
        if (token.text == "[") return ParseList();
        if (token.text == "{") return ParseDict();
        break;
      default:
        break;
    }
    return Fail(StrCat("expected an expression, found ", Found()));
  }

  StatusOr<ExprPtr> ParseParenthesis() {
    Take();
    if (IsOp(")")) {
      ExprPtr empty = MakeExpr(ExprKind::kList);
      Take();
      return empty;
    }
    ASSIGN_OR_RETURN(ExprPtr out, ParseTuple());
    RETURN_IF_ERROR(ExpectOp(")"));
    return out;
  }

  StatusOr<ExprPtr> ParseList() {
    ExprPtr out = MakeExpr(ExprKind::kList);
    Take();
    while (!IsOp("]")) {
      ASSIGN_OR_RETURN(ExprPtr item, ParseExpression());
      RETURN_IF_ERROR(Adopt(*out, std::move(item)));
      if (!TakeOp(",")) break;
    }
    RETURN_IF_ERROR(ExpectOp("]"));
    return out;
  }

  StatusOr<ExprPtr> ParseDict() {
    ExprPtr out = MakeExpr(ExprKind::kDict);
    Take();
    while (!IsOp("}")) {
      ASSIGN_OR_RETURN(ExprPtr key, ParseExpression());
      RETURN_IF_ERROR(Adopt(*out, std::move(key)));
      RETURN_IF_ERROR(ExpectOp(":"));
      ASSIGN_OR_RETURN(ExprPtr value, ParseExpression());
      RETURN_IF_ERROR(Adopt(*out, std::move(value)));
      if (!TakeOp(",")) break;
    }
    RETURN_IF_ERROR(ExpectOp("}"));
    return out;
  }

  StatusOr<ExprPtr> ParsePostfix(ExprPtr out) {
    while (true) {
      if (IsOp(".")) {
        ExprPtr attribute = MakeExpr(ExprKind::kAttribute);
        Take();
        ASSIGN_OR_RETURN(attribute->text, ExpectName());
        RETURN_IF_ERROR(Adopt(*attribute, std::move(out)));
        out = std::move(attribute);
      } else if (IsOp("[")) {
        ASSIGN_OR_RETURN(out, ParseSubscript(std::move(out)));
      } else if (IsOp("(")) {
        ExprPtr call = MakeExpr(ExprKind::kCall);
        RETURN_IF_ERROR(Adopt(*call, std::move(out)));
        RETURN_IF_ERROR(ParseArguments(*call));
        out = std::move(call);
      } else {
        return out;
      }
    }
  }

  StatusOr<ExprPtr> ParseSubscript(ExprPtr object) {
    ExprPtr out = MakeExpr(ExprKind::kIndex);
    Take();
    RETURN_IF_ERROR(Adopt(*out, std::move(object)));
    ExprPtr parts[3];
    int colons = 0;
    while (!IsOp("]")) {
      if (TakeOp(":")) {
        if (++colons > 2) return Fail("a slice has at most three parts");
        continue;
      }
      if (parts[colons] != nullptr) return Fail(StrCat("expected \"]\", found ", Found()));
      ASSIGN_OR_RETURN(parts[colons], ParseExpression());
    }
    Take();
    if (colons == 0) {
      if (parts[0] == nullptr) return Fail("an empty subscript");
      RETURN_IF_ERROR(Adopt(*out, std::move(parts[0])));
      return out;
    }
    out->kind = ExprKind::kSlice;
    for (ExprPtr& part : parts) RETURN_IF_ERROR(Adopt(*out, std::move(part)));
    return out;
  }

  Status ParseArguments(Expr& call) {
    RETURN_IF_ERROR(ExpectOp("("));
    while (!IsOp(")")) {
      if (Peek().kind == TokenKind::kName && Peek(1).kind == TokenKind::kOperator && Peek(1).text == "=") {
        call.names.push_back(Take().text);
        Take();
      } else if (!call.names.empty()) {
        return Fail("a positional argument after a named one");
      }
      ASSIGN_OR_RETURN(ExprPtr argument, ParseExpression());
      RETURN_IF_ERROR(Adopt(call, std::move(argument)));
      if (!TakeOp(",")) break;
    }
    return ExpectOp(")");
  }

  StatusOr<ExprPtr> ParseFilters(ExprPtr out) {
    while (true) {
      if (TakeOp("|")) {
        ExprPtr filter = MakeExpr(ExprKind::kFilter);
        ASSIGN_OR_RETURN(filter->text, ExpectName());
        RETURN_IF_ERROR(Adopt(*filter, std::move(out)));
        if (IsOp("(")) RETURN_IF_ERROR(ParseArguments(*filter));
        out = std::move(filter);
      } else if (TakeWord("is")) {
        ExprPtr test = MakeExpr(ExprKind::kTest);
        test->negated = TakeWord("not");
        ASSIGN_OR_RETURN(test->text, ExpectName());
        RETURN_IF_ERROR(Adopt(*test, std::move(out)));
        if (IsOp("(")) {
          RETURN_IF_ERROR(ParseArguments(*test));
        } else if (TestTakesBareArgument()) {
          ASSIGN_OR_RETURN(ExprPtr argument, ParsePrimary());
          ASSIGN_OR_RETURN(argument, ParsePostfix(std::move(argument)));
          RETURN_IF_ERROR(Adopt(*test, std::move(argument)));
        }
        out = std::move(test);
      } else if (IsOp("(")) {
        ExprPtr call = MakeExpr(ExprKind::kCall);
        RETURN_IF_ERROR(Adopt(*call, std::move(out)));
        RETURN_IF_ERROR(ParseArguments(*call));
        out = std::move(call);
      } else {
        return out;
      }
    }
  }

  // `x is divisibleby 3`: an argument without parentheses.
  bool TestTakesBareArgument() const {
    const Token& token = Peek();
    if (token.kind == TokenKind::kName) {
      for (const std::string_view word : {"else", "or", "and", "if", "is", "in", "not"}) {
        if (token.text == word) return false;
      }
      return true;
    }
    return token.kind == TokenKind::kString || token.kind == TokenKind::kInt || token.kind == TokenKind::kFloat ||
           (token.kind == TokenKind::kOperator && (token.text == "[" || token.text == "{"));
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  int loops_ = 0;
  int max_depth_;
};

}  // namespace

StatusOr<Block> ParseJinja(std::string_view source, int max_depth) {
  ASSIGN_OR_RETURN(std::vector<Token> tokens, Lexer(source).Run());
  return Parser(std::move(tokens), max_depth).Run();
}

}  // namespace galago::text::jinja
