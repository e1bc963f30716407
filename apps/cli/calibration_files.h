#ifndef GALAGO_CLI_CALIBRATION_FILES_H_
#define GALAGO_CLI_CALIBRATION_FILES_H_

#include <string>

#include "apps/cli/engine.h"
#include "galago/quantize.h"
#include "galago/status.h"

namespace galago::cli {

// Adds what `path` holds to the calibration: a World directory (world.json), another directory's *.txt and *.md, a file
// of LLaVA conversations (*.json), or any other file as text. NotFound and DataLoss name the file.
Status AddCalibration(Engine& engine, const std::string& path, QuantizeOptions& options);

}  // namespace galago::cli

#endif  // GALAGO_CLI_CALIBRATION_FILES_H_
