#include "src/io/unpickle.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <unordered_map>

#include "src/base/byte_reader.h"
#include "src/base/strings.h"
#include "src/tensor/tensor.h"

namespace galago::io {
namespace {

enum class Kind : uint8_t {
  kNone,
  kBool,
  kInt,
  kFloat,
  kText,
  kTuple,
  kList,
  kDict,
  kOrderedDictClass,
  kRebuildTensor,
  kRebuildParameter,
  kStorageClass,
  kStorage,
  kTensor,
};

std::string_view KindName(Kind kind) {
  constexpr std::array<std::string_view, 14> kNames = {
      "None",   "a bool",         "a number",   "a float",    "a text",          "a tuple",   "a list",
      "a dict", "a dict's class", "a function", "a function", "a storage class", "a storage", "a tensor"};
  return kNames[static_cast<size_t>(kind)];
}

// Values live in one table and refer to each other by index, so cycles through the memo cost nothing and nothing
// recurses.
using Id = uint32_t;
struct Node {
  Kind kind = Kind::kNone;
  int64_t number = 0;     // kBool, kInt; kStorageClass: the DType; kStorage, kTensor: index in storages_, tensors_
  std::string_view text;  // kText
  std::vector<Id> items;  // kTuple, kList; kDict: key, value, key, value
};

struct StorageClass {
  std::string_view name;
  DType dtype;
};
constexpr std::array<StorageClass, 10> kStorageClasses = {{
    {"FloatStorage", DType::kF32},
    {"HalfStorage", DType::kF16},
    {"BFloat16Storage", DType::kBF16},
    {"DoubleStorage", DType::kF64},
    {"CharStorage", DType::kI8},
    {"ByteStorage", DType::kU8},
    {"ShortStorage", DType::kI16},
    {"IntStorage", DType::kI32},
    {"LongStorage", DType::kI64},
    {"BoolStorage", DType::kBool},
}};

class Machine {
 public:
  Machine(std::span<const std::byte> pickle, std::string_view what, const PickleLimits& limits)
      : reader_(pickle, what), limits_(limits) {}

  // Runs to STOP; the value left on the stack.
  StatusOr<Id> Run();
  StatusOr<PickledDict> StateDict(Id root) &&;

 private:
  Status Step(uint8_t opcode);
  Status StepContainer(uint8_t opcode);
  Status StepScalar(uint8_t opcode);
  Status StepMemo(uint8_t opcode);

  Status Bad(std::string_view why) const {
    return DataLoss(StrCat(reader_.what(), ": byte ", opcode_at_, " of the pickle: ", why));
  }
  Status Push(Id id);
  Status PushNode(Node node);
  StatusOr<Id> Pop();
  StatusOr<std::vector<Id>> PopMark();
  StatusOr<Id> Top() const;
  template <class Length>
  Status PushText();
  StatusOr<std::string_view> ReadLine();

  Status Global(std::string_view module, std::string_view name);
  Status Put(uint64_t index, Id id);
  Status Get(uint64_t index);
  Status Extend(Kind kind, const std::vector<Id>& items);
  Status PersistentId();
  Status Reduce();
  Status RebuildTensor(const std::vector<Id>& arguments);
  Status Build();
  StatusOr<uint64_t> Count(Id id, std::string_view field) const;
  StatusOr<std::vector<uint64_t>> Counts(Id id, std::string_view field) const;

  ByteReader reader_;
  PickleLimits limits_;
  size_t opcode_at_ = 0;
  std::vector<Node> nodes_;
  std::vector<PickledStorage> storages_;
  std::vector<PickledTensor> tensors_;
  std::vector<Id> stack_;
  std::vector<size_t> marks_;
  size_t num_held_ = 0;  // items put into lists and dicts
  std::unordered_map<uint64_t, Id> memo_;
};

Status Machine::Push(Id id) {
  if (stack_.size() >= limits_.max_stack) return Bad(StrCat("more than ", limits_.max_stack, " values on the stack"));
  stack_.push_back(id);
  return OkStatus();
}

Status Machine::PushNode(Node node) {
  if (nodes_.size() >= limits_.max_nodes) return Bad(StrCat("more than ", limits_.max_nodes, " values"));
  nodes_.push_back(std::move(node));
  return Push(static_cast<Id>(nodes_.size() - 1));
}

// Values below the last mark belong to what is being collected outside it.
StatusOr<Id> Machine::Pop() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) return Bad("takes a value from an empty stack");
  const Id id = stack_.back();
  stack_.pop_back();
  return id;
}

StatusOr<Id> Machine::Top() const {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) return Bad("uses a value of an empty stack");
  return stack_.back();
}

StatusOr<std::vector<Id>> Machine::PopMark() {
  if (marks_.empty()) return Bad("ends a list that was not begun");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Id> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

template <class Length>
Status Machine::PushText() {
  ASSIGN_OR_RETURN(const Length length, reader_.Read<Length>("text length"));
  ASSIGN_OR_RETURN(const std::string_view text, reader_.ReadText(length, "text"));
  return PushNode({.kind = Kind::kText, .text = text});
}

StatusOr<std::string_view> Machine::ReadLine() {
  ByteReader start = reader_;
  size_t length = 0;
  for (;; ++length) {
    ASSIGN_OR_RETURN(const char c, reader_.Read<char>("line"));
    if (c == '\n') break;
  }
  return start.ReadText(length, "line");
}

Status Machine::Global(std::string_view module, std::string_view name) {
  if (module == "collections" && name == "OrderedDict") return PushNode({.kind = Kind::kOrderedDictClass});
  if (module == "torch._utils" && name == "_rebuild_tensor_v2") return PushNode({.kind = Kind::kRebuildTensor});
  if (module == "torch._utils" && name == "_rebuild_parameter") return PushNode({.kind = Kind::kRebuildParameter});
  if (module == "torch") {
    if (const auto it = std::ranges::find(kStorageClasses, name, &StorageClass::name); it != kStorageClasses.end()) {
      return PushNode({.kind = Kind::kStorageClass, .number = static_cast<int64_t>(it->dtype)});
    }
    if (name.ends_with("Storage")) {
      return Unimplemented(StrCat(reader_.what(), ": holds a torch.", Printable(name), ", which is not supported"));
    }
  }
  return Unimplemented(StrCat(reader_.what(), ": refers to ", Printable(module), ".", Printable(name),
                              "; only tensors are read, nothing is executed"));
}

// Indices come from the file, so the memo is a map: a large index must not cost memory. One value more per opcode.
Status Machine::Put(uint64_t index, Id id) {
  if (memo_.size() >= limits_.max_nodes && !memo_.contains(index)) {
    return Bad(StrCat("more than ", limits_.max_nodes, " remembered values"));
  }
  memo_[index] = id;
  return OkStatus();
}

Status Machine::Get(uint64_t index) {
  const auto it = memo_.find(index);
  if (it == memo_.end()) return Bad(StrCat("recalls value ", index, ", which was not stored"));
  return Push(it->second);
}

// APPENDS and SETITEMS: items go into the container below them.
Status Machine::Extend(Kind kind, const std::vector<Id>& items) {
  ASSIGN_OR_RETURN(const Id id, Top());
  Node& node = nodes_[id];
  if (node.kind != kind) return Bad(StrCat("adds items to ", KindName(node.kind), ", not to ", KindName(kind)));
  if (kind == Kind::kDict && items.size() % 2 != 0) return Bad("sets a key without a value");
  if (items.size() > limits_.max_nodes - num_held_) return Bad(StrCat("more than ", limits_.max_nodes, " items"));
  num_held_ += items.size();
  node.items.insert(node.items.end(), items.begin(), items.end());
  return OkStatus();
}

StatusOr<uint64_t> Machine::Count(Id id, std::string_view field) const {
  const Node& node = nodes_[id];
  if (node.kind != Kind::kInt || node.number < 0) {
    return Bad(StrCat("a tensor's ", field, " is ",
                      node.kind == Kind::kInt ? StrCat(node.number) : std::string(KindName(node.kind)),
                      ", a number from 0 is needed"));
  }
  return static_cast<uint64_t>(node.number);
}

StatusOr<std::vector<uint64_t>> Machine::Counts(Id id, std::string_view field) const {
  const Node& node = nodes_[id];
  if (node.kind != Kind::kTuple) return Bad(StrCat("a tensor's ", field, " is ", KindName(node.kind), ", not a tuple"));
  if (node.items.size() > Shape::kMaxRank) {
    return Unimplemented(StrCat(reader_.what(), ": a tensor has ", node.items.size(), " dimensions, at most ",
                                Shape::kMaxRank, " are supported"));
  }
  std::vector<uint64_t> counts;
  for (const Id item : node.items) {
    ASSIGN_OR_RETURN(const uint64_t count, Count(item, field));
    counts.push_back(count);
  }
  return counts;
}

// ('storage', class, key, device, number of elements), torch/serialization.py: persistent_id.
Status Machine::PersistentId() {
  ASSIGN_OR_RETURN(const Id id, Pop());
  const Node& tuple = nodes_[id];
  if (tuple.kind != Kind::kTuple || tuple.items.size() < 5) return Bad("a persistent id that is no storage");
  const Node& word = nodes_[tuple.items[0]];
  const Node& type = nodes_[tuple.items[1]];
  const Node& key = nodes_[tuple.items[2]];
  if (word.kind != Kind::kText || word.text != "storage" || type.kind != Kind::kStorageClass ||
      key.kind != Kind::kText) {
    return Bad("a persistent id that is no storage");
  }
  ASSIGN_OR_RETURN(const uint64_t count, Count(tuple.items[4], "storage size"));
  storages_.push_back({static_cast<DType>(type.number), key.text, count});
  return PushNode({.kind = Kind::kStorage, .number = static_cast<int64_t>(storages_.size() - 1)});
}

// (storage, offset, size, stride, requires_grad, backward_hooks[, metadata]), torch/_utils.py.
Status Machine::RebuildTensor(const std::vector<Id>& arguments) {
  if (arguments.size() < 6 || arguments.size() > 7) {
    return Bad(StrCat("_rebuild_tensor_v2 with ", arguments.size(), " arguments, 6 or 7 are needed"));
  }
  const Node& storage = nodes_[arguments[0]];
  if (storage.kind != Kind::kStorage) return Bad(StrCat("a tensor on ", KindName(storage.kind), ", not on a storage"));
  PickledTensor tensor;
  tensor.storage = storages_[static_cast<size_t>(storage.number)];
  ASSIGN_OR_RETURN(tensor.offset, Count(arguments[1], "offset"));
  ASSIGN_OR_RETURN(tensor.sizes, Counts(arguments[2], "size"));
  ASSIGN_OR_RETURN(tensor.strides, Counts(arguments[3], "stride"));
  if (tensor.sizes.size() != tensor.strides.size()) {
    return Bad(StrCat("a tensor with ", tensor.sizes.size(), " sizes and ", tensor.strides.size(), " strides"));
  }
  tensors_.push_back(std::move(tensor));
  return PushNode({.kind = Kind::kTensor, .number = static_cast<int64_t>(tensors_.size() - 1)});
}

Status Machine::Reduce() {
  ASSIGN_OR_RETURN(const Id arguments_id, Pop());
  ASSIGN_OR_RETURN(const Id function_id, Pop());
  if (nodes_[arguments_id].kind != Kind::kTuple) {
    return Bad(StrCat("calls with ", KindName(nodes_[arguments_id].kind), ", not with a tuple"));
  }
  // A copy: PushNode moves the table.
  const std::vector<Id> arguments(nodes_[arguments_id].items.begin(),
                                  nodes_[arguments_id].items.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(
                                                                           nodes_[arguments_id].items.size(), 8)));
  switch (nodes_[function_id].kind) {
    case Kind::kOrderedDictClass:
      if (!arguments.empty()) return Bad("an OrderedDict with arguments");
      return PushNode({.kind = Kind::kDict});
    case Kind::kRebuildTensor:
      return RebuildTensor(arguments);
    case Kind::kRebuildParameter:  // (data, requires_grad, backward_hooks)
      if (arguments.empty() || nodes_[arguments[0]].kind != Kind::kTensor) return Bad("a parameter without a tensor");
      return Push(arguments[0]);
    default:
      return Bad(StrCat("calls ", KindName(nodes_[function_id].kind)));
  }
}

// Attributes: an OrderedDict from Module.state_dict() has "_metadata", which says nothing about tensors.
Status Machine::Build() {
  RETURN_IF_ERROR(Pop().status());
  ASSIGN_OR_RETURN(const Id id, Top());
  if (nodes_[id].kind != Kind::kDict) return Bad(StrCat("sets attributes of ", KindName(nodes_[id].kind)));
  return OkStatus();
}

Status Machine::StepScalar(uint8_t opcode) {
  const auto push_int = [this](int64_t number) { return PushNode({.kind = Kind::kInt, .number = number}); };
  switch (opcode) {
    case 'N':
      return PushNode({.kind = Kind::kNone});
    case 0x88:
      return PushNode({.kind = Kind::kBool, .number = 1});  // NEWTRUE
    case 0x89:
      return PushNode({.kind = Kind::kBool, .number = 0});  // NEWFALSE
    case 'J': {                                             // BININT
      ASSIGN_OR_RETURN(const int32_t number, reader_.Read<int32_t>("number"));
      return push_int(number);
    }
    case 'K': {  // BININT1
      ASSIGN_OR_RETURN(const uint8_t number, reader_.Read<uint8_t>("number"));
      return push_int(number);
    }
    case 'M': {  // BININT2
      ASSIGN_OR_RETURN(const uint16_t number, reader_.Read<uint16_t>("number"));
      return push_int(number);
    }
    case 0x8a: {  // LONG1: little-endian two's complement of any length, sign in the last byte
      ASSIGN_OR_RETURN(const uint8_t length, reader_.Read<uint8_t>("number length"));
      if (length > sizeof(int64_t)) return Bad(StrCat("a number of ", length, " bytes, at most 8 are supported"));
      ASSIGN_OR_RETURN(const auto bytes, reader_.ReadBytes(length, "number"));
      const bool negative = length != 0 && (bytes.back() & std::byte{0x80}) != std::byte{0};
      int64_t number = negative ? -1 : 0;
      if (length != 0) std::memcpy(&number, bytes.data(), length);
      return push_int(number);
    }
    case 'G':  // BINFLOAT; no field we use is a float
      RETURN_IF_ERROR(reader_.ReadBytes(8, "float").status());
      return PushNode({.kind = Kind::kFloat});
    case 'X':  // BINUNICODE
    case 'T':  // BINSTRING
    case 'B':  // BINBYTES
      return PushText<uint32_t>();
    case 0x8c:  // SHORT_BINUNICODE
    case 'U':   // SHORT_BINSTRING
    case 'C':   // SHORT_BINBYTES
      return PushText<uint8_t>();
    case 0x8d:  // BINUNICODE8
    case 0x8e:  // BINBYTES8
      return PushText<uint64_t>();
    default:
      return StepContainer(opcode);
  }
}

Status Machine::StepContainer(uint8_t opcode) {
  switch (opcode) {
    case '(':
      if (marks_.size() >= limits_.max_stack) return Bad(StrCat("nested more than ", limits_.max_stack, " deep"));
      marks_.push_back(stack_.size());
      return OkStatus();
    case ')':
      return PushNode({.kind = Kind::kTuple});
    case ']':
      return PushNode({.kind = Kind::kList});
    case '}':
      return PushNode({.kind = Kind::kDict});
    case 0x85:    // TUPLE1
    case 0x86:    // TUPLE2
    case 0x87: {  // TUPLE3
      std::vector<Id> items(opcode - 0x84u);
      for (size_t i = items.size(); i-- > 0;) {
        ASSIGN_OR_RETURN(items[i], Pop());
      }
      return PushNode({.kind = Kind::kTuple, .items = std::move(items)});
    }
    case 't': {  // TUPLE
      ASSIGN_OR_RETURN(std::vector<Id> items, PopMark());
      return PushNode({.kind = Kind::kTuple, .items = std::move(items)});
    }
    case 'a': {  // APPEND
      ASSIGN_OR_RETURN(const Id value, Pop());
      return Extend(Kind::kList, {value});
    }
    case 'e': {  // APPENDS
      ASSIGN_OR_RETURN(const std::vector<Id> items, PopMark());
      return Extend(Kind::kList, items);
    }
    case 's': {  // SETITEM
      ASSIGN_OR_RETURN(const Id value, Pop());
      ASSIGN_OR_RETURN(const Id key, Pop());
      return Extend(Kind::kDict, {key, value});
    }
    case 'u': {  // SETITEMS
      ASSIGN_OR_RETURN(const std::vector<Id> items, PopMark());
      return Extend(Kind::kDict, items);
    }
    default:
      return StepMemo(opcode);
  }
}

Status Machine::StepMemo(uint8_t opcode) {
  switch (opcode) {
    case 'q': {  // BINPUT
      ASSIGN_OR_RETURN(const uint8_t index, reader_.Read<uint8_t>("memo index"));
      ASSIGN_OR_RETURN(const Id id, Top());
      return Put(index, id);
    }
    case 'r': {  // LONG_BINPUT
      ASSIGN_OR_RETURN(const uint32_t index, reader_.Read<uint32_t>("memo index"));
      ASSIGN_OR_RETURN(const Id id, Top());
      return Put(index, id);
    }
    case 0x94: {  // MEMOIZE
      ASSIGN_OR_RETURN(const Id id, Top());
      return Put(memo_.size(), id);
    }
    case 'h': {  // BINGET
      ASSIGN_OR_RETURN(const uint8_t index, reader_.Read<uint8_t>("memo index"));
      return Get(index);
    }
    case 'j': {  // LONG_BINGET
      ASSIGN_OR_RETURN(const uint32_t index, reader_.Read<uint32_t>("memo index"));
      return Get(index);
    }
    case '0':
      return Pop().status();
    case '1':
      return PopMark().status();
    case '2': {  // DUP
      ASSIGN_OR_RETURN(const Id id, Top());
      return Push(id);
    }
    default: {
      constexpr std::string_view kHex = "0123456789abcdef";
      return Unimplemented(StrCat(reader_.what(), ": byte ", opcode_at_, " of the pickle: opcode 0x", kHex[opcode >> 4],
                                  kHex[opcode & 15], " does not occur in files of tensors"));
    }
  }
}

Status Machine::Step(uint8_t opcode) {
  switch (opcode) {
    case 0x80: {  // PROTO
      ASSIGN_OR_RETURN(const uint8_t protocol, reader_.Read<uint8_t>("protocol"));
      if (protocol < 2 || protocol > 5) {
        return Unimplemented(StrCat(reader_.what(), ": pickle protocol ", protocol, ", 2 to 5 are supported"));
      }
      return OkStatus();
    }
    case 0x95:
      return reader_.Read<uint64_t>("frame").status();  // FRAME: a hint for buffered reading
    case 'c': {                                         // GLOBAL
      ASSIGN_OR_RETURN(const std::string_view module, ReadLine());
      ASSIGN_OR_RETURN(const std::string_view name, ReadLine());
      return Global(module, name);
    }
    case 0x93: {  // STACK_GLOBAL
      ASSIGN_OR_RETURN(const Id name, Pop());
      ASSIGN_OR_RETURN(const Id module, Pop());
      if (nodes_[name].kind != Kind::kText || nodes_[module].kind != Kind::kText) return Bad("a global without a name");
      return Global(nodes_[module].text, nodes_[name].text);
    }
    case 'Q':
      return PersistentId();
    case 'R':
      return Reduce();
    case 'b':
      return Build();
    default:
      return StepScalar(opcode);
  }
}

StatusOr<Id> Machine::Run() {
  if (reader_.remaining() > limits_.max_bytes) {
    return OutOfRange(
        StrCat(reader_.what(), ": pickle of ", reader_.remaining(), " bytes, the limit is ", limits_.max_bytes));
  }
  for (;;) {
    opcode_at_ = reader_.position();
    ASSIGN_OR_RETURN(const uint8_t opcode, reader_.Read<uint8_t>("opcode"));
    if (opcode == '.') return Pop();
    RETURN_IF_ERROR(Step(opcode));
  }
}

StatusOr<PickledDict> Machine::StateDict(Id root) && {
  const auto entry_of = [this](const Node& dict, std::string_view key) -> const Node* {
    for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const Node& name = nodes_[dict.items[i]];
      if (name.kind == Kind::kText && name.text == key) return &nodes_[dict.items[i + 1]];
    }
    return nullptr;
  };
  const Node* dict = &nodes_[root];
  if (dict->kind != Kind::kDict) {
    return Unimplemented(StrCat(reader_.what(), ": holds ", KindName(dict->kind), ", a dict of tensors is needed"));
  }
  const Node* inner = entry_of(*dict, "state_dict");
  if (inner != nullptr && inner->kind == Kind::kDict) dict = inner;
  PickledDict result;
  for (size_t i = 0; i + 1 < dict->items.size(); i += 2) {
    const Node& key = nodes_[dict->items[i]];
    const Node& value = nodes_[dict->items[i + 1]];
    if (key.kind != Kind::kText) continue;
    result.entries.push_back({key.text, std::nullopt});
    if (value.kind == Kind::kTensor) result.entries.back().tensor = static_cast<size_t>(value.number);
  }
  result.tensors = std::move(tensors_);
  return result;
}

}  // namespace

StatusOr<PickledDict> Unpickle(std::span<const std::byte> pickle, std::string_view what, const PickleLimits& limits) {
  Machine machine(pickle, what, limits);
  ASSIGN_OR_RETURN(const Id root, machine.Run());
  return std::move(machine).StateDict(root);
}

}  // namespace galago::io
