#include "train/world/document_words.h"

#include "src/base/check.h"

namespace galago::world {

const MatterWords& WordsFor(Matter matter) {
  static const MatterWords kPlain{
      "value", false, {{"What is the {head} of {row}?"}, {"Which {head} does {row} have?"}}};
  static const MatterWords kPrice{
      "price",
      true,
      {{"What is the price of {row}?", "How much is {row}?", "How much does the {row} cost?", "What does {row} cost?"},
       {"How much does {row} cost?", "How much is the {row}?", "What is the price of the {row}?"}},
      {{"Which costs the most?", "What costs the most?", "Which is the most expensive?"},
       {"What is the most expensive?", "Which one costs the most?"}},
      {{"Which costs the least?", "What costs the least?", "Which is the cheapest?"},
       {"What is the cheapest?", "Which one costs the least?"}},
      {{"What costs {value}?", "Which one costs {value}?"}, {"Which costs {value}?", "What has a price of {value}?"}}};
  static const MatterWords kCount{
      "count",
      true,
      {{"How many of {row} are there?", "What is the {head} of {row}?", "How many {row} are there?"},
       {"What is the {head} for {row}?", "How many of the {row} are there?"}},
      {{"Which has the highest {head}?", "What is there the most of?"}, {"What has the highest {head}?"}},
      {{"Which has the lowest {head}?", "What is there the least of?"}, {"What has the lowest {head}?"}},
      {}};
  static const MatterWords kPoints{
      "points",
      true,
      {{"How many points does {row} have?", "What are the points of {row}?"},
       {"How many points has {row}?", "What is the number of points of {row}?"}},
      {{"Who has the most points?", "Who has the highest points?"}, {"Which person has the most points?"}},
      {{"Who has the fewest points?", "Who has the lowest points?"}, {"Which person has the fewest points?"}},
      {{"Who has {value} points?", "Which person has {value} points?"}, {"Who is the person with {value} points?"}}};
  static const MatterWords kAge{
      "age",
      true,
      {{"How old is {row}?", "What is the age of {row}?"}, {"What age is {row}?"}},
      {{"Who is the oldest?", "Which person is the oldest?"}, {"Who is the oldest person?"}},
      {{"Who is the youngest?", "Which person is the youngest?"}, {"Who is the youngest person?"}},
      {{"Who is {value} years old?", "Who is {value}?"}, {"Which person is {value} years old?"}}};
  static const MatterWords kCity{
      "city",
      false,
      {{"Where does {row} live?", "What is the city of {row}?", "Which city is {row} from?"},
       {"In which city does {row} live?", "What city is {row} from?"}},
      {},
      {},
      {{"Who lives in {value}?", "Who is from {value}?"}, {"Which person lives in {value}?"}}};
  static const MatterWords kTeam{
      "team",
      false,
      {{"Which team is {row} in?", "What is the team of {row}?"}, {"What team is {row} in?"}},
      {},
      {},
      {{"Who is in the {value} team?", "Who is in team {value}?"}, {"Which person is in the {value} team?"}}};
  static const MatterWords kPet{
      "pet", false, {{"Which pet does {row} have?", "What is the pet of {row}?"}, {"What pet does {row} have?"}},
      {},    {},    {{"Who has a {value}?", "Who has the {value}?"}, {"Which person has a {value}?"}}};
  static const MatterWords kRoom{
      "room",
      false,
      {{"What is the {head} of {row}?", "Which {head} does {row} have?"}, {"What {head} does {row} have?"}},
      {},
      {},
      {{"Which has {head} {value}?", "Which one is at {head} {value}?"}, {"Which one has {head} {value}?"}}};
  static const MatterWords kDay{
      "day", false, {{"On which day is {row}?", "What is the day of {row}?"}, {"Which day is {row}?"}},
      {},    {},    {{"Which trip is on {value}?", "What is on {value}?"}, {"Which one is on {value}?"}}};
  static const MatterWords kTime{"time",
                                 false,
                                 {{"At what time is {row}?", "What is the time of {row}?", "When is {row}?"},
                                  {"At which time is {row}?", "What time is {row}?"}},
                                 {},
                                 {},
                                 {{"Which trip is at {value}?", "What is at {value}?"}, {"Which one is at {value}?"}}};
  switch (matter) {
    case Matter::kPrice:
      return kPrice;
    case Matter::kCount:
      return kCount;
    case Matter::kPoints:
      return kPoints;
    case Matter::kAge:
      return kAge;
    case Matter::kCity:
      return kCity;
    case Matter::kTeam:
      return kTeam;
    case Matter::kPet:
      return kPet;
    case Matter::kRoom:
      return kRoom;
    case Matter::kDay:
      return kDay;
    case Matter::kTime:
      return kTime;
    case Matter::kItem:
    case Matter::kPerson:
    case Matter::kDate:
    case Matter::kPhone:
    case Matter::kWeight:
    case Matter::kCode:
    case Matter::kShop:
    case Matter::kProduct:
      return kPlain;
  }
  CHECK(false);
  return kPlain;
}

}  // namespace galago::world
