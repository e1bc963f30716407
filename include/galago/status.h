#ifndef GALAGO_STATUS_H_
#define GALAGO_STATUS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Failures of foreign data and resources are values: absl's codes and spelling, under our name. The codes map one to
// one to exit codes and HTTP codes at the edges (docs/cli.md).
namespace galago {

using absl::OkStatus;
using absl::Status;
using absl::StatusCode;
template <class T>
using StatusOr = absl::StatusOr<T>;

// absl of Debian 12 has a string_view of its own; these two are the only places where it shows.
inline Status MakeStatus(StatusCode code, std::string_view message) {
  return Status(code, absl::string_view(message.data(), message.size()));
}
inline std::string MessageOf(const Status& status) {
  return std::string(status.message().data(), status.message().size());
}

// The caller asked for something that makes no sense (exit 2).
inline Status InvalidArgument(std::string_view message) { return MakeStatus(StatusCode::kInvalidArgument, message); }
// A file or tensor that must exist does not.
inline Status NotFound(std::string_view message) { return MakeStatus(StatusCode::kNotFound, message); }
// Foreign bytes are damaged, truncated or lie about themselves.
inline Status DataLoss(std::string_view message) { return MakeStatus(StatusCode::kDataLoss, message); }
// Well-formed, but of a kind we do not support.
inline Status Unimplemented(std::string_view message) { return MakeStatus(StatusCode::kUnimplemented, message); }
// Over a stated limit: too many pixels, a prompt longer than the context.
inline Status OutOfRange(std::string_view message) { return MakeStatus(StatusCode::kOutOfRange, message); }
// Memory, disk or descriptors ran out (exit 5).
inline Status ResourceExhausted(std::string_view message) {
  return MakeStatus(StatusCode::kResourceExhausted, message);
}
// Reading or writing failed for a reason of the system's.
inline Status Unavailable(std::string_view message) { return MakeStatus(StatusCode::kUnavailable, message); }
inline Status Cancelled(std::string_view message) { return MakeStatus(StatusCode::kCancelled, message); }
inline Status DeadlineExceeded(std::string_view message) { return MakeStatus(StatusCode::kDeadlineExceeded, message); }
inline Status FailedPrecondition(std::string_view message) {
  return MakeStatus(StatusCode::kFailedPrecondition, message);
}
inline Status Internal(std::string_view message) { return MakeStatus(StatusCode::kInternal, message); }

// The same failure with "where: " in front of its message.
inline Status Annotate(const Status& status, std::string_view where) {
  if (status.ok()) return status;
  return MakeStatus(status.code(), std::string(where) + ": " + MessageOf(status));
}

}  // namespace galago

#define GALAGO_CONCAT_INNER_(a, b) a##b
#define GALAGO_CONCAT_(a, b) GALAGO_CONCAT_INNER_(a, b)

// Macros only where control flow returns.
#define RETURN_IF_ERROR(expression)                               \
  do {                                                            \
    if (::galago::Status status_ = (expression); !status_.ok()) { \
      return status_;                                             \
    }                                                             \
  } while (false)

#define ASSIGN_OR_RETURN(lhs, expression) ASSIGN_OR_RETURN_IMPL_(GALAGO_CONCAT_(status_or_, __LINE__), lhs, expression)
#define ASSIGN_OR_RETURN_IMPL_(statusor, lhs, expression)  \
  auto statusor = (expression);                            \
  if (!statusor.ok()) return std::move(statusor).status(); \
  lhs = std::move(statusor).value()

#endif  // GALAGO_STATUS_H_
