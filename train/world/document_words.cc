#include "train/world/document_words.h"

#include "src/base/check.h"

namespace galago::world {

const MatterWords& WordsFor(Matter matter) {
  static const MatterWords kPlain{"value", false, {}};
  static const MatterWords kPrice{
      "price",
      true,
      {{"What is the price of {row}?", "How much is {row}?", "How much does the {row} cost?", "What does {row} cost?",
        "Tell me the price of {row}.", "Which price does {row} have?", "What is the price for {row}?",
        "How much must I pay for {row}?", "What does the {row} cost?", "What price is written for {row}?",
        "Read the price of {row}.", "The price of {row} is what?"},
       {"How much does {row} cost?", "How much is the {row}?", "What is the price of the {row}?"}},
      {{"Which costs the most?", "What costs the most?", "Which is the most expensive?",
        "Which one is the most expensive?", "Tell me what costs the most.", "Name the most expensive one.",
        "What has the highest price?", "Of all, which costs the most?", "Which has the highest price?"},
       {"What is the most expensive?", "Which one costs the most?"}},
      {{"Which costs the least?", "What costs the least?", "Which is the cheapest?", "Which one is the cheapest?",
        "Tell me what costs the least.", "Name the cheapest one.", "What has the lowest price?",
        "Of all, which costs the least?", "Which has the lowest price?"},
       {"What is the cheapest?", "Which one costs the least?"}},
      {{"What costs {value}?", "Which one costs {value}?", "What has the price {value}?", "Tell me what costs {value}.",
        "Which has a price of {value}?", "Name what costs {value}.", "Of all, which costs {value}?",
        "Which has the price {value}?"},
       {"Which costs {value}?", "What has a price of {value}?"}}};
  static const MatterWords kCount{
      "count",
      true,
      {{"How many of {row} are there?", "What is the {head} of {row}?", "How many {row} are there?",
        "Tell me the {head} of {row}.", "How many of {row} does it say?", "What number is written for {row}?",
        "The {head} of {row} is what?", "How many are there of {row}?"},
       {"What is the {head} for {row}?", "How many of the {row} are there?"}},
      {{"Which has the highest {head}?", "What is there the most of?", "Which one has the highest {head}?",
        "Tell me which has the highest {head}.", "Of which is there the most?", "Name the one with the highest {head}.",
        "Which thing has the highest {head}?"},
       {"What has the highest {head}?"}},
      {{"Which has the lowest {head}?", "What is there the least of?", "Which one has the lowest {head}?",
        "Tell me which has the lowest {head}.", "Of which is there the least?", "Name the one with the lowest {head}.",
        "Which thing has the lowest {head}?"},
       {"What has the lowest {head}?"}},
      {}};
  static const MatterWords kPoints{
      "points",
      true,
      {{"How many points does {row} have?", "What are the points of {row}?", "Tell me the points of {row}.",
        "What is the number of points for {row}?", "How many points are there for {row}?", "Read the points of {row}."},
       {"How many points has {row}?", "What is the number of points of {row}?"}},
      {{"Who has the most points?", "Who has the highest points?", "Tell me who has the most points.",
        "Which name has the most points?", "Name the one with the most points.",
        "Who is the one with the most points?"},
       {"Which person has the most points?"}},
      {{"Who has the fewest points?", "Who has the lowest points?", "Tell me who has the fewest points.",
        "Which name has the fewest points?", "Name the one with the fewest points.",
        "Who is the one with the fewest points?"},
       {"Which person has the fewest points?"}},
      {{"Who has {value} points?", "Which person has {value} points?", "Tell me who has {value} points.",
        "Who is the one with {value} points?", "Name the person with {value} points.", "Whose points are {value}?"},
       {"Who is the person with {value} points?"}}};
  static const MatterWords kAge{
      "age",
      true,
      {{"How old is {row}?", "What is the age of {row}?", "Tell me the age of {row}.", "Which age does {row} have?",
        "Which age is {row}?", "How many years old is {row}?", "Read the age of {row}."},
       {"What age is {row}?"}},
      {{"Who is the oldest?", "Which person is the oldest?", "Tell me who is the oldest.", "Name the oldest person.",
        "Which one is the oldest?", "Who has the highest age?"},
       {"Who is the oldest person?"}},
      {{"Who is the youngest?", "Which person is the youngest?", "Tell me who is the youngest.",
        "Name the youngest person.", "Which one is the youngest?", "Who has the lowest age?"},
       {"Who is the youngest person?"}},
      {{"Who is {value} years old?", "Who is {value}?", "Tell me who is {value} years old.", "Whose age is {value}?",
        "Which one is {value} years old?", "Who has the age {value}?"},
       {"Which person is {value} years old?"}}};
  static const MatterWords kCity{
      "city",
      false,
      {{"Where does {row} live?", "What is the city of {row}?", "Which city is {row} from?", "Where is {row} from?",
        "Tell me the city of {row}.", "Which city does {row} live in?", "In what city does {row} live?",
        "Which is the city of {row}?"},
       {"In which city does {row} live?", "What city is {row} from?"}},
      {},
      {},
      {{"Who lives in {value}?", "Who is from {value}?", "Tell me who lives in {value}.",
        "Which person is from {value}?", "Whose city is {value}?", "Name the person from {value}."},
       {"Which person lives in {value}?"}}};
  static const MatterWords kTeam{
      "team",
      false,
      {{"Which team is {row} in?", "What is the team of {row}?", "Tell me the team of {row}.",
        "In which team is {row}?", "Which team does {row} have?", "Which is the team of {row}?"},
       {"What team is {row} in?"}},
      {},
      {},
      {{"Who is in the {value} team?", "Who is in team {value}?", "Tell me who is in the {value} team.",
        "Which person is in team {value}?", "Whose team is {value}?"},
       {"Which person is in the {value} team?"}}};
  static const MatterWords kPet{
      "pet",
      false,
      {{"Which pet does {row} have?", "What is the pet of {row}?", "Tell me the pet of {row}.",
        "Which is the pet of {row}?", "What kind of pet does {row} have?", "Which pet has {row}?"},
       {"What pet does {row} have?"}},
      {},
      {},
      {{"Who has a {value}?", "Who has the {value}?", "Tell me who has a {value}.", "Which person has the {value}?",
        "Whose pet is a {value}?"},
       {"Which person has a {value}?"}}};
  static const MatterWords kRoom{
      "room",
      false,
      {{"What is the {head} of {row}?", "Which {head} does {row} have?", "Tell me the {head} of {row}.",
        "{row} has which {head}?", "Which is the {head} of {row}?"},
       {"What {head} does {row} have?"}},
      {},
      {},
      {{"Which has {head} {value}?", "Which one is at {head} {value}?", "Which is the one with {head} {value}?",
        "Which is at {head} {value}?", "Name the one with {head} {value}."},
       {"Which one has {head} {value}?"}}};
  static const MatterWords kDay{"day",
                                false,
                                {{"On which day is {row}?", "What is the day of {row}?", "Tell me the day of {row}.",
                                  "Which day is it for {row}?", "What day is {row}?", "On what day is {row}?"},
                                 {"Which day is {row}?"}},
                                {},
                                {},
                                {{"Which trip is on {value}?", "What is on {value}?", "Tell me what is on {value}.",
                                  "Which is on {value}?", "Name what is on {value}.", "What trip is on {value}?"},
                                 {"Which one is on {value}?"}}};
  static const MatterWords kTime{
      "time",
      false,
      {{"At what time is {row}?", "What is the time of {row}?", "When is {row}?", "Tell me the time of {row}.",
        "At what hour is {row}?", "Which time is {row}?", "Which is the time of {row}?"},
       {"At which time is {row}?", "What time is {row}?"}},
      {},
      {},
      {{"Which trip is at {value}?", "What is at {value}?", "Tell me what is at {value}.", "Which is at {value}?",
        "Name what is at {value}.", "What trip is at {value}?"},
       {"Which one is at {value}?"}}};
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
