#include "train/world/stamps.h"

// Chosen by eye from the pictures of tuxpaint-stamps-default 2022.06.04-1: each is what its name says, and still is at
// 50 pixels. The order of classes and files is part of World: append, never insert.
namespace galago::world {
namespace {

constexpr StampFile kDog[] = {{"animals/mammals/dogs/dog.png", 0xC68E28D531DA88C7}};
constexpr StampFile kCat[] = {{"seasonal/halloween/blackcat.png", 0xA3A70FF68B00EB8E}};
constexpr StampFile kHorse[] = {{"animals/mammals/equines/horse.png", 0x43DD8D545067B4C7}};
constexpr StampFile kZebra[] = {{"animals/mammals/equines/zebra.png", 0xBFDC34A19F2BF7C2}};
constexpr StampFile kCow[] = {{"animals/mammals/bovines/cow.png", 0x3E1523FBF45F78EC},
                              {"animals/mammals/bovines/cow_white.png", 0x85C217AAF2D63FDB}};
constexpr StampFile kPig[] = {{"animals/mammals/pig.png", 0xB56465568D34BA38},
                              {"animals/mammals/pig_golden.png", 0x0ECDAC5F38C07B81},
                              {"animals/mammals/pig_golden2.png", 0x537650F619152881}};
constexpr StampFile kSheep[] = {{"animals/mammals/bovines/sheep.png", 0x7349739830BAE58D},
                                {"animals/mammals/bovines/ram.png", 0xF463DB8D66A5C358},
                                {"animals/mammals/bovines/sheep_lamb.png", 0x843119A62344A327}};
constexpr StampFile kRabbit[] = {{"animals/mammals/rabbit_little.png", 0xFB512189546F1B09},
                                 {"animals/mammals/rodents/rabbit-2.png", 0x79BE612A37E3E267},
                                 {"animals/mammals/rodents/rabbit.png", 0xF878F91A9663E4B6}};
constexpr StampFile kBear[] = {{"animals/mammals/bears/bear.png", 0x52E47A7B67984945},
                               {"animals/mammals/bears/european-bear.png", 0x9D51101E9BBF58A8}};
constexpr StampFile kLion[] = {{"animals/mammals/cats/lion-2.png", 0xB733148E4A1E1F61},
                               {"animals/mammals/cats/lion.png", 0x9A672567F2B20A1D}};
constexpr StampFile kTiger[] = {{"animals/mammals/cats/tiger.png", 0xBCE7547EA0C86A50},
                                {"animals/mammals/cats/tiger_sumatran.png", 0x1D06E4BE057AD2E2}};
constexpr StampFile kElephant[] = {{"animals/mammals/elephant.png", 0xB82D99FD6AED5FF1}};
constexpr StampFile kGiraffe[] = {{"animals/mammals/giraffe.png", 0x3503E9CCCCDCE3C1}};
constexpr StampFile kCamel[] = {{"animals/mammals/camel/camel.png", 0x2D223F4C3102EA8D},
                                {"animals/mammals/camel/dromedary.png", 0x9CDE6949E63E1A5D}};
constexpr StampFile kDeer[] = {{"animals/mammals/deer/deer.png", 0x472AA2AC290AEEA4},
                               {"animals/mammals/deer/doe.png", 0xB5B225E719E05641},
                               {"animals/mammals/deer/caribou.png", 0x52D05FF911F8A6B1},
                               {"animals/mammals/deer/wapiti.png", 0x0020B6A766B1FEEE}};
constexpr StampFile kFox[] = {{"animals/mammals/dogs/fox.png", 0x3BE6C72759BEEAE4}};
constexpr StampFile kKangaroo[] = {{"animals/marsupials/kangaroo.png", 0x3A556F10939DB67F}};
constexpr StampFile kKoala[] = {{"animals/marsupials/koala.png", 0xC172B82AE40527F3}};
constexpr StampFile kGorilla[] = {{"animals/mammals/apes/gorilla.png", 0x74CFD19C44D2D46A}};
constexpr StampFile kSquirrel[] = {{"animals/mammals/rodents/squirrel.png", 0x7D22CE76A7E67432}};
constexpr StampFile kDolphin[] = {{"animals/mammals/aquatic/dolphin.png", 0x1E5B5FA142A3565A}};
constexpr StampFile kFrog[] = {{"animals/amphibians/frog.png", 0x54FB34D755902FE3},
                               {"animals/amphibians/frog-1.png", 0xB77F7DA192EEB1AC}};
constexpr StampFile kDuck[] = {{"animals/birds/duck.png", 0xF9C01D03EF32ADC1},
                               {"animals/birds/drake.png", 0xC723149A98C1CB12}};
constexpr StampFile kPenguin[] = {{"animals/birds/penguin.png", 0x2629D136283DADD6},
                                  {"animals/birds/little-penguin.png", 0x07B215524CA3BB3B},
                                  {"animals/birds/cartoon/tux.png", 0xD06AB40B8E64E7B9},
                                  {"animals/birds/magellanic_penguin.png", 0x7505C04DCD915000}};
constexpr StampFile kOwl[] = {{"animals/birds/owl.png", 0x3086790312689C9C}};
constexpr StampFile kChicken[] = {{"animals/birds/hen.png", 0x3DBD0C4DC20718D7},
                                  {"animals/birds/chicken_profile.png", 0xD8C2FCC393F5EBC4}};
constexpr StampFile kParrot[] = {{"animals/birds/adelaide-rosella.png", 0x1437748E2C722095},
                                 {"animals/birds/rainbow-lorikeet.png", 0x8EC3D2657EE38072}};
constexpr StampFile kFlamingo[] = {{"animals/birds/pink_flamingo.png", 0xDED4274DD6A0BADA}};
constexpr StampFile kFish[] = {
    {"animals/fish/butterflyfish.png", 0x8A8A922613CD0410}, {"animals/fish/coraltrout.png", 0x775190F5DDFC6512},
    {"animals/fish/dolphinfish.png", 0xAC7C424598424E72},   {"animals/fish/clownfish.png", 0xA552EAB90417B376},
    {"animals/fish/moonwrasse.png", 0xB82F5466F13616C0},    {"animals/fish/stripedfish.png", 0x326AE0E27FACCCC3},
    {"animals/fish/bluegroper.png", 0x7E5329DDDE6E0ED7}};
constexpr StampFile kSnail[] = {{"animals/insects/cartoon/snail.png", 0x98D0C8052516B1BD},
                                {"animals/insects/cartoon/snail2.png", 0xA7CA13D0B0028F98}};
constexpr StampFile kButterfly[] = {{"animals/insects/cartoon/butterfly.png", 0x73C3EAE850FD7926},
                                    {"seasonal/easter/butterfly.png", 0x81C461991BD91653}};
constexpr StampFile kLadybug[] = {{"animals/insects/cartoon/ladybug.png", 0xFBA0BEDC452451CA},
                                  {"animals/insects/cartoon/ladybug-2.png", 0xABD918DB7A29221B}};
constexpr StampFile kSpider[] = {{"seasonal/halloween/spider.png", 0x4F2612848336EDC1}};
constexpr StampFile kBat[] = {{"seasonal/halloween/bat_left.png", 0xB1232F906ACEFA6B}};
constexpr StampFile kApple[] = {{"food/fruit/apple_fuji.png", 0x6065A5A7D8BBC9E7},
                                {"food/fruit/apple_green.png", 0x6056C2CBAAAABBDF},
                                {"food/fruit/apple_red.png", 0x079E43E1354D6E02},
                                {"food/fruit/cartoon/apple.png", 0x5DF88AFB74180F55},
                                {"food/fruit/apple_granny_smith.png", 0xB254240D46B6A903},
                                {"food/fruit/apple_sierra_beauty.png", 0x7A3260DA5E5F7AE5}};
constexpr StampFile kBanana[] = {{"food/fruit/banana.png", 0x07589C8E9E5B5DEF},
                                 {"food/fruit/cartoon/banana.png", 0xC7D9178CB6D65CC9}};
constexpr StampFile kLemon[] = {{"food/fruit/lemon.png", 0x38219575FC22FE81},
                                {"food/fruit/cartoon/lemon.png", 0xF14E7B4F7A687710}};
constexpr StampFile kOrange[] = {{"food/fruit/orange.png", 0x941F2F9F27952D95},
                                 {"food/fruit/mandarine.png", 0xEF03F379D4DBE93D},
                                 {"food/fruit/cartoon/orange.png", 0x19D5588AFBFB5EDB}};
constexpr StampFile kPear[] = {{"food/fruit/pear.png", 0x497D70E858CE0997},
                               {"food/fruit/cartoon/pear.png", 0xC0ED78120F9B4E94}};
constexpr StampFile kPineapple[] = {{"food/fruit/pineapple.png", 0x5F08349E5AE62DAC},
                                    {"food/fruit/cartoon/pineapple.png", 0x72CE45B38661FEBF}};
constexpr StampFile kStrawberry[] = {{"food/fruit/strawberry.png", 0x5D636386E3533403},
                                     {"food/fruit/cartoon/strawberry.png", 0x955E4C1224D14894},
                                     {"food/fruit/Strawberry2.png", 0xB1A5638DA9C6615D}};
constexpr StampFile kPizza[] = {{"food/pizza.png", 0xEB6711363BB96BD0}};
constexpr StampFile kCarrot[] = {{"food/vegetables/carrot.png", 0x224995650F7A75AC}};
constexpr StampFile kEggplant[] = {{"food/vegetables/eggplant.png", 0xABBC9556B4210894}};
constexpr StampFile kMushroom[] = {{"food/vegetables/mushroom.png", 0x5382D3DB5600DB8E},
                                   {"plants/mushrooms/cep.png", 0xD450442D1204D27A},
                                   {"plants/mushrooms/cep-1.png", 0x495A369C7DEF80BB}};
constexpr StampFile kPepper[] = {{"food/vegetables/pepper.png", 0x2D6AB1E6BE2DB331},
                                 {"food/vegetables/yellowpepper.png", 0xD8E2F2EE0012EFAF}};
constexpr StampFile kPumpkin[] = {{"food/vegetables/pumpkin_small.png", 0x4219076772D7E29A}};
constexpr StampFile kTomato[] = {{"food/vegetables/tomato.png", 0x05868BB59C187388}};
constexpr StampFile kCake[] = {{"food/dessert/cartoon/birthday_cake.png", 0xDB615A376F591C8F},
                               {"food/dessert/cartoon/pink_cake.png", 0xB8BFE6DCAD89F2DA}};
constexpr StampFile kEgg[] = {{"seasonal/easter/wrapped_chocolate_easter_egg.png", 0xB408C4C9D12519B6},
                              {"seasonal/easter/wrapped_chocolate_easter_egg_2.png", 0xD8EA946B0D620FF1}};
constexpr StampFile kHat[] = {{"clothes/hats/blue_fedora.png", 0xD6A9B1DABD8295AC},
                              {"clothes/hats/feathered_hat.png", 0x15D21A79E4BCF829},
                              {"clothes/hats/sombrero.png", 0xD83831959D8FE69D},
                              {"clothes/hats/tophat.png", 0xA14B9095F324C887},
                              {"clothes/hats/green_fedora.png", 0xB0FF3B131EA80B7A}};
constexpr StampFile kShirt[] = {{"clothes/t_tshirt.png", 0x29316B98081A50E3},
                                {"clothes/t_poloshirt.png", 0x8DD950A176F9A254},
                                {"clothes/t_shirt.png", 0xF161D729085B5BC1}};
constexpr StampFile kSock[] = {{"clothes/t_sock.png", 0x81D1694567AC70DD},
                               {"seasonal/christmas/stocking.png", 0xAE4195B7A7132FCB}};
constexpr StampFile kCamera[] = {{"hobbies/camera_35mm.png", 0x63F3751327FF6DC1}};
constexpr StampFile kDrum[] = {{"hobbies/music/percussion/drum_tomtom_floor.png", 0xC18053E79DA2E1E5}};
constexpr StampFile kGuitar[] = {{"hobbies/music/string/guitar2.png", 0xC959BC136488817E},
                                 {"hobbies/music/string/guitar_classical.png", 0x07B3B4437E701DD8},
                                 {"hobbies/music/string/guitar_electric_bass.png", 0x00A07BAE26CEF17D},
                                 {"hobbies/music/string/guitar_electric.png", 0x72388EB33EBD6928}};
constexpr StampFile kTeapot[] = {{"household/dishes/teapot.png", 0xCD5312686D22F351}};
constexpr StampFile kMug[] = {{"household/dishes/mug.png", 0xAE1DADF0C4A760B7}};
constexpr StampFile kKey[] = {{"household/key.png", 0x842DE8FA17C4F8F1}};
constexpr StampFile kToilet[] = {{"household/toilet.png", 0xFBED96EA6FF72E5C}};
constexpr StampFile kHammer[] = {{"household/tools/hammer.png", 0x04B27BD6493D2EA0},
                                 {"household/tools/mallet_metal.png", 0x47B8CCD2707FEFFE}};
constexpr StampFile kWrench[] = {{"household/tools/wrench.png", 0xD0B6CE71E160B351},
                                 {"household/tools/wrench_adjustable.png", 0x3A66AB323BD473A9}};
constexpr StampFile kCandle[] = {{"seasonal/candle.png", 0x7F076301D2E07494},
                                 {"seasonal/hanukkah/holiday_candle.png", 0x81E2CA854F3A7553}};
constexpr StampFile kClock[] = {{"symbols/clockface.png", 0x9DD5EF8987DC9DD4}};
constexpr StampFile kTrophy[] = {{"sports/trophy_cup.png", 0xBA3427732BCA4237}};
constexpr StampFile kFlower[] = {{"plants/flowers/adeenia.png", 0x135E6EC25431C2EE},
                                 {"plants/flowers/anemone_red.png", 0x7AEF5C520D3912AD},
                                 {"plants/flowers/chemparathi.png", 0x3BFE649E84643084},
                                 {"plants/flowers/daffodil.png", 0x1B9BE3F446ACA23D},
                                 {"plants/flowers/flower1.png", 0x49F1535FCEFF291C},
                                 {"plants/flowers/flower2.png", 0x7B6C4B41274D770C},
                                 {"plants/flowers/flower3.png", 0xF2AA8BFA19FAB701},
                                 {"plants/flowers/flower6.png", 0x19ABF7BEF9C2945E},
                                 {"plants/flowers/flower8.png", 0x1EB16610374182C2},
                                 {"plants/flowers/marigold.png", 0x803EFDFAEF139811},
                                 {"plants/flowers/rose.png", 0x20AF600992C17540},
                                 {"plants/flowers/yellow-flower.png", 0x590302B90FB54898},
                                 {"plants/flowers/flower5.png", 0xDDE004AE6A905F99},
                                 {"plants/flowers/flower9.png", 0xE2994567FC9D9440},
                                 {"plants/flowers/red-gazania.png", 0xA54C659AD47FEC9D},
                                 {"plants/flowers/whitestar-petunia.png", 0xB614F629AD4C9FFF}};
constexpr StampFile kTree[] = {{"plants/trees/birch.png", 0x74A573E5003EE1F9},
                               {"plants/trees/holm_oak.png", 0x73FA2643724DB6D6},
                               {"plants/trees/liberia-palm.png", 0x2A453B155460B266},
                               {"seasonal/christmas/Christmas_Tree_photo.png", 0xCAB618399BED4794},
                               {"seasonal/christmas/tree.png", 0x77568D1D15484012},
                               {"plants/trees/tree336.png", 0x33D1D161BAA4839B}};
constexpr StampFile kBall[] = {{"sports/basketball.png", 0x6641CB43076084DC},
                               {"sports/cricketball.png", 0xA9C2CFE0F36D4183},
                               {"sports/soccer.png", 0xB5B3A641B9613D2C},
                               {"sports/tennis_ball.png", 0xD7E5F0764AEAD96E},
                               {"sports/cartoon/volleyball.png", 0x56DE12172EC40DC4}};
constexpr StampFile kCoin[] = {{"symbols/money/canadian/coins/001penny.png", 0xD02B459E9ACB1B4D},
                               {"symbols/money/canadian/coins/005nickel.png", 0x93EB82EA17938696},
                               {"symbols/money/canadian/coins/025quarter.png", 0x8CB3E7571A4E388A},
                               {"symbols/money/canadian/coins/200toonie.png", 0x4A9D29D8824FE519},
                               {"symbols/money/euro/coins/001.png", 0x3894990F39348097},
                               {"symbols/money/euro/coins/010.png", 0x4A6A3AAF760C3715},
                               {"symbols/money/euro/coins/100.png", 0x46259BE12EF78531},
                               {"symbols/money/japanese/yen005.png", 0xFDE78B10BAE447C0},
                               {"symbols/money/japanese/yen100.png", 0xECB1E66F301D4B60},
                               {"symbols/money/us/coins/001penny.png", 0x1D3EE799631270BF},
                               {"symbols/money/us/coins/010dime.png", 0x29C2FB1E80660252},
                               {"symbols/money/us/coins/050kennedy-halfdollar.png", 0x69394553B96041C0},
                               {"symbols/money/us/coins/100sacagawea.png", 0x1ED4EDB48A8E3408},
                               {"symbols/money/canadian/coins/010dime.png", 0x5F9F557012ED5260},
                               {"symbols/money/euro/coins/005.png", 0x7BF788A19C5F0F8E},
                               {"symbols/money/euro/coins/050.png", 0xE35B8E4CFFA5B071},
                               {"symbols/money/japanese/yen050.png", 0xA8D69E4790A2565C},
                               {"symbols/money/us/coins/025quarter.png", 0xBB7A72C4DC63E282}};
constexpr StampFile kFlag[] = {
    {"town/flags/blue-and-yellowflag.png", 0x10C9BB7ACE293ED5}, {"town/flags/checkeredflag.png", 0x64DCE0634921F5E3},
    {"town/flags/greenflag.png", 0x6CD307F935547B00},           {"town/flags/redflag.png", 0xD64482F06A5AB19D},
    {"town/flags/whiteflag.png", 0x04D9632D6ED6B801},           {"town/flags/yellowflag.png", 0x672AD02332657886}};
constexpr StampFile kSign[] = {
    {"town/roadsigns/crossroads.png", 0x77E3D7D65013EDB2},   {"town/roadsigns/no_entry_sign.png", 0xC62A371E2DCFB3A2},
    {"town/roadsigns/stop.png", 0xAD596EC8936DEAC8},         {"town/roadsigns/xing_ped.png", 0xBE5D8A917251E89F},
    {"town/roadsigns/yield.png", 0xFE071EFF895EB9AB},        {"town/roadsigns/arrow.png", 0xFEA0AA50382DD904},
    {"town/roadsigns/roundabout.png", 0x73A25AFC3CF17CE5},   {"town/roadsigns/t-junction.png", 0xF59CD8BAA23C5077},
    {"town/roadsigns/give_way_sign.png", 0x1944FB2CC8328C27}};
constexpr StampFile kWheel[] = {{"vehicles/7spoke256.png", 0xC499F4BC8849547A},
                                {"vehicles/wheel_tractor.png", 0x47DC374E6B8CF192}};
constexpr StampFile kCar[] = {{"vehicles/auto/beetle.png", 0xF7C74E3850A8F2E4},
                              {"vehicles/auto/sedan.png", 0xDB1DD18A4D5BCAE0},
                              {"vehicles/race/indycar.png", 0xC0AF76859D22CE0A},
                              {"vehicles/auto/sportscar2.png", 0x3A8720BB2DAEB537}};
constexpr StampFile kTruck[] = {{"vehicles/construction/cartoon/terex.png", 0xF1FFA66A5EC2D8DB},
                                {"vehicles/garbagetruck.png", 0xFB9B3F900D9EFFE1},
                                {"vehicles/construction/cartoon/towTruck.png", 0xA5A0DB8439497A6D},
                                {"vehicles/emergency/firetruck.png", 0x8B74D72302B86C74},
                                {"vehicles/emergency/cartoon/fire_engine.png", 0xCB23135445186D63},
                                {"vehicles/construction/cartoon/cementMixer.png", 0xD4FFA1A3E3F52D3F}};
constexpr StampFile kBus[] = {{"vehicles/masstransit/cartoon/double_decker_bus.png", 0x9CB9EDD039D1FA28},
                              {"vehicles/masstransit/green_korean_bus.png", 0xF43D5EF1AFE53218}};
constexpr StampFile kTrain[] = {{"vehicles/locomotive/cartoon/toy_train.png", 0x85328317F8F76758}};
constexpr StampFile kTractor[] = {{"vehicles/farming/cartoon/tux_tractor.png", 0x343BE19460769684}};
constexpr StampFile kPlane[] = {{"vehicles/flight/planes/747.png", 0xC0EBCAD6998A8178},
                                {"vehicles/flight/planes/cartoon/plane.png", 0x9D47063EF3EE188C}};
constexpr StampFile kHelicopter[] = {{"vehicles/flight/cartoon/eddieCopter.png", 0x0C6263E50DE212D9}};
constexpr StampFile kBalloon[] = {{"vehicles/flight/balloon360.png", 0xC6E89C3980F61345}};
constexpr StampFile kBoat[] = {{"vehicles/ship/cartoon/tugboat.png", 0xC2A225ED221F48C6},
                               {"vehicles/ship/chineseJunk.png", 0x1B326EF0F4CD231B},
                               {"vehicles/ship/walnutBoat.png", 0xA3641AD8D268E74F}};
constexpr StampFile kHouse[] = {{"town/houses/cartoon/swisshome.png", 0x93BF9670C4F27043},
                                {"town/houses/cartoon/wooden_cottage.png", 0xD71B6C02A8C18109},
                                {"town/houses/cartoon/pinkhome.png", 0xB2062ED1D97C7227},
                                {"town/houses/cartoon/inn.png", 0x946383C257B255AB},
                                {"town/houses/cartoon/blacksmith.png", 0xC469F40AA836A26E}};
constexpr StampFile kCastle[] = {{"town/houses/cartoon/fairytale_castle.png", 0x0CD95BB1B8BD25F9},
                                 {"town/houses/cartoon/fortress.png", 0xAA00218F9F79AED8}};
constexpr StampFile kTent[] = {{"town/houses/cartoon/tent.png", 0x185004D991D72C4B},
                               {"town/houses/cartoon/circus.png", 0x1D330F1FE2BAEB50},
                               {"town/houses/cartoon/medieval_tent.png", 0x5B430CA97E758D1A},
                               {"town/houses/cartoon/tepee.png", 0xE4BD2518624818E1}};
constexpr StampFile kWindmill[] = {{"town/houses/cartoon/windmill.png", 0x9D5CB5F2EE71C6D1}};
constexpr StampFile kSnowman[] = {{"people/cartoon/snowman.png", 0x570036579C676758}};
constexpr StampFile kAstronaut[] = {{"space/spacewalk.png", 0xBED8E88A0139F003}};
constexpr StampFile kMailbox[] = {{"town/usps_mailbox.png", 0x1B1FA88A287F873A},
                                  {"town/uk_post_box.png", 0x77E364D7F8B9BDFB}};

constexpr ThingClass kThings[] = {{"dog", "dogs", kDog, 0},
                                  {"cat", "cats", kCat, 0},
                                  {"horse", "horses", kHorse, 0},
                                  {"zebra", "zebras", kZebra, 0},
                                  {"cow", "cows", kCow, 0},
                                  {"pig", "pigs", kPig, 0},
                                  {"sheep", "sheep", kSheep, 0},
                                  {"rabbit", "rabbits", kRabbit, 1},
                                  {"bear", "bears", kBear, 0},
                                  {"lion", "lions", kLion, 0},
                                  {"tiger", "tigers", kTiger, 0},
                                  {"elephant", "elephants", kElephant, 0},
                                  {"giraffe", "giraffes", kGiraffe, 0},
                                  {"camel", "camels", kCamel, 0},
                                  {"deer", "deer", kDeer, 1},
                                  {"fox", "foxes", kFox, 0},
                                  {"kangaroo", "kangaroos", kKangaroo, 0},
                                  {"koala", "koalas", kKoala, 0},
                                  {"gorilla", "gorillas", kGorilla, 0},
                                  {"squirrel", "squirrels", kSquirrel, 0},
                                  {"dolphin", "dolphins", kDolphin, 0},
                                  {"frog", "frogs", kFrog, 0},
                                  {"duck", "ducks", kDuck, 0},
                                  {"penguin", "penguins", kPenguin, 1},
                                  {"owl", "owls", kOwl, 0},
                                  {"chicken", "chickens", kChicken, 0},
                                  {"parrot", "parrots", kParrot, 0},
                                  {"flamingo", "flamingos", kFlamingo, 0},
                                  {"fish", "fish", kFish, 2},
                                  {"snail", "snails", kSnail, 0},
                                  {"butterfly", "butterflies", kButterfly, 0},
                                  {"ladybug", "ladybugs", kLadybug, 0},
                                  {"spider", "spiders", kSpider, 0},
                                  {"bat", "bats", kBat, 0},
                                  {"apple", "apples", kApple, 2},
                                  {"banana", "bananas", kBanana, 0},
                                  {"lemon", "lemons", kLemon, 0},
                                  {"orange", "oranges", kOrange, 0},
                                  {"pear", "pears", kPear, 0},
                                  {"pineapple", "pineapples", kPineapple, 0},
                                  {"strawberry", "strawberries", kStrawberry, 1},
                                  {"pizza", "pizzas", kPizza, 0},
                                  {"carrot", "carrots", kCarrot, 0},
                                  {"eggplant", "eggplants", kEggplant, 0},
                                  {"mushroom", "mushrooms", kMushroom, 1},
                                  {"pepper", "peppers", kPepper, 0},
                                  {"pumpkin", "pumpkins", kPumpkin, 0},
                                  {"tomato", "tomatoes", kTomato, 0},
                                  {"cake", "cakes", kCake, 0},
                                  {"egg", "eggs", kEgg, 0},
                                  {"hat", "hats", kHat, 1},
                                  {"shirt", "shirts", kShirt, 0},
                                  {"sock", "socks", kSock, 0},
                                  {"camera", "cameras", kCamera, 0, false},
                                  {"drum", "drums", kDrum, 0},
                                  {"guitar", "guitars", kGuitar, 1},
                                  {"teapot", "teapots", kTeapot, 0},
                                  {"mug", "mugs", kMug, 0},
                                  {"key", "keys", kKey, 0},
                                  {"toilet", "toilets", kToilet, 0},
                                  {"hammer", "hammers", kHammer, 0},
                                  {"wrench", "wrenches", kWrench, 0},
                                  {"candle", "candles", kCandle, 0},
                                  {"clock", "clocks", kClock, 0, false},
                                  {"trophy", "trophies", kTrophy, 0},
                                  {"flower", "flowers", kFlower, 4},
                                  {"tree", "trees", kTree, 1},
                                  {"ball", "balls", kBall, 1},
                                  {"coin", "coins", kCoin, 5, false},
                                  {"flag", "flags", kFlag, 1},
                                  {"sign", "signs", kSign, 2, false},
                                  {"wheel", "wheels", kWheel, 0},
                                  {"car", "cars", kCar, 1},
                                  {"truck", "trucks", kTruck, 1},
                                  {"bus", "buses", kBus, 0, false},
                                  {"train", "trains", kTrain, 0},
                                  {"tractor", "tractors", kTractor, 0},
                                  {"plane", "planes", kPlane, 0},
                                  {"helicopter", "helicopters", kHelicopter, 0},
                                  {"balloon", "balloons", kBalloon, 0},
                                  {"boat", "boats", kBoat, 0},
                                  {"house", "houses", kHouse, 1},
                                  {"castle", "castles", kCastle, 0},
                                  {"tent", "tents", kTent, 0},
                                  {"windmill", "windmills", kWindmill, 0},
                                  {"snowman", "snowmen", kSnowman, 0},
                                  {"astronaut", "astronauts", kAstronaut, 0},
                                  {"mailbox", "mailboxes", kMailbox, 0}};

}  // namespace

std::span<const ThingClass> ThingClasses() { return kThings; }

}  // namespace galago::world
