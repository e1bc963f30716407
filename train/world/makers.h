#ifndef GALAGO_TRAIN_WORLD_MAKERS_H_
#define GALAGO_TRAIN_WORLD_MAKERS_H_

#include <memory>

#include "galago/status.h"
#include "train/world/task.h"

// Every task, by the function that makes it. A new task is one line here and one in task.cc.
namespace galago::world {

using TaskOr = StatusOr<std::unique_ptr<const Task>>;

TaskOr MakeScenes(const Assets& assets);
TaskOr MakeThings(const Assets& assets);
TaskOr MakeVideo(const Assets& assets);
TaskOr MakeTemporal(const Assets& assets);
TaskOr MakeReading(const Assets& assets);
TaskOr MakeDocuments(const Assets& assets);
TaskOr MakeCharts(const Assets& assets);
TaskOr MakeText(const Assets& assets);
TaskOr MakeSeveral(const Assets& assets);
TaskOr MakeInContext(const Assets& assets);
TaskOr MakeCaptions(const Assets& assets);
TaskOr MakeInterleaved(const Assets& assets);
TaskOr MakeTranscripts(const Assets& assets);
TaskOr MakeFacts(const Assets& assets);
TaskOr MakeFinds(const Assets& assets);
TaskOr MakeCells(const Assets& assets);
TaskOr MakeDials(const Assets& assets);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_MAKERS_H_
