#include "apps/cli/exit_codes.h"

namespace galago::cli {

Exit ExitCodeFor(Stage stage, const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return Exit::kSuccess;
    case StatusCode::kInvalidArgument:
      return Exit::kUsage;
    case StatusCode::kResourceExhausted:
      return Exit::kResources;
    case StatusCode::kDeadlineExceeded:
      return Exit::kTimeout;
    case StatusCode::kCancelled:
      return Exit::kInterrupted;
    case StatusCode::kInternal:
    case StatusCode::kUnknown:
      return Exit::kInternal;
    default:
      break;
  }
  switch (stage) {
    case Stage::kUsage:
      return Exit::kUsage;
    case Stage::kModel:
      return Exit::kModel;
    case Stage::kHub:
      return Exit::kNetwork;
    case Stage::kInput:
      return Exit::kInput;
  }
  return Exit::kInternal;
}

ErrorKind ErrorKindFor(Stage stage, const Status& status) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
      return {"invalid_request_error", "invalid_value"};
    case StatusCode::kResourceExhausted:
      return {"unavailable_error", "insufficient_resources"};
    case StatusCode::kDeadlineExceeded:
      return {"timeout_error", "deadline"};
    case StatusCode::kCancelled:
      return {"invalid_request_error", "cancelled"};
    case StatusCode::kInternal:
    case StatusCode::kUnknown:
      return {"server_error", "internal"};
    default:
      break;
  }
  if (stage == Stage::kUsage) return {"invalid_request_error", "invalid_value"};
  const bool model = stage != Stage::kInput;
  switch (status.code()) {
    case StatusCode::kNotFound:
      return {"not_found_error", model ? "model_not_found" : "file_not_found"};
    case StatusCode::kUnimplemented:
      return {"invalid_request_error", model ? "model_unsupported" : "unsupported_media_type"};
    case StatusCode::kOutOfRange:
      return {"invalid_request_error", "limit_exceeded"};
    case StatusCode::kFailedPrecondition:
      return {"invalid_request_error", model ? "model_unusable" : "unsupported_modality"};
    default:
      return {"invalid_request_error", model ? "model_unusable" : "media_undecodable"};
  }
}

}  // namespace galago::cli
