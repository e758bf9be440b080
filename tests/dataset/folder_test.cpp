// Readers of image files: any folder, and the layouts of Tiny ImageNet, Food-101 and ImageNet.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "relic/core/error.h"
#include "relic/data/dataset.h"
#include "support/bmp.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

namespace fs = std::filesystem;

using testing::bmp;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::spit;
using testing::TemporaryFolder;

std::vector<std::string> names(const Dataset& dataset) {
  std::vector<std::string> list;
  for (std::int64_t i = 0; i < dataset.size(); ++i) list.push_back(dataset.name(i));
  return list;
}

std::vector<int> labels(const Dataset& dataset) {
  std::vector<int> list;
  for (std::int64_t i = 0; i < dataset.size(); ++i) list.push_back(dataset.label(i));
  return list;
}

class Folder : public ::testing::Test {
 protected:
  void put(const std::string& file) { spit(folder_ / file, bmp(2, 2, {9, 8, 7})); }
  void put(const std::string& folder, int count) {
    for (int i = 0; i < count; ++i) put(folder + "/" + std::to_string(i) + ".bmp");
  }
  FoundDataset find(Split split = Split::pretraining, const std::string& name = "folder", std::int64_t max_images = 0) {
    return find_dataset({.name = name, .path = folder_.path(), .split = split, .max_images = max_images});
  }
  std::unique_ptr<Dataset> open(Split split = Split::pretraining, const std::string& name = "folder") {
    return find(split, name).open();
  }
  std::string failure(Split split = Split::pretraining, const std::string& name = "folder") {
    std::string message = message_of<Error>([&] { open(split, name); });
    EXPECT_THAT(message, ::testing::Not(HasSubstr("\n")));
    return message;
  }

  TemporaryFolder folder_;
};

TEST_F(Folder, FlatImagesHaveNoLabels) {
  for (const char* name : {"b.bmp", "a.bmp", ".hidden.bmp", "notes.txt"}) put(name);
  const FoundDataset found = find();
  EXPECT_EQ(found.size, 2);
  EXPECT_EQ(found.classes, 0);
  EXPECT_FALSE(found.separate_labels);
  EXPECT_THAT(found.note, HasSubstr("no labels"));
  const auto dataset = found.open();
  EXPECT_THAT(names(*dataset), ElementsAre("a.bmp", "b.bmp"));
  EXPECT_THAT(labels(*dataset), ElementsAre(-1, -1));
  EXPECT_TRUE(dataset->class_names().empty());
}

TEST_F(Folder, ImagesAreDecodedWithTheirOwnSizes) {
  spit(folder_ / "a.bmp", bmp(3, 5, {200, 100, 50}));
  const auto dataset = open();
  Image scratch;
  const ImageRef image = dataset->image(0, scratch);
  EXPECT_EQ(image.width, 3);
  EXPECT_EQ(image.height, 5);
  EXPECT_EQ(image.pixels[0], 200);
  EXPECT_EQ(image.pixels[1], 100);
  EXPECT_EQ(image.pixels[3 * 14 + 2], 50);
}

TEST_F(Folder, NestedImagesWithSomeAtTheTopHaveNoLabels) {
  for (const char* name : {"2019/may/a.bmp", "2020/b.bmp", "c.bmp"}) put(name);
  EXPECT_THAT(names(*open()), ElementsAre("2019/may/a.bmp", "2020/b.bmp", "c.bmp"));
  EXPECT_EQ(find().classes, 0);
}

TEST_F(Folder, FoldersOfOneImageEachAreNoClasses) {
  for (const char* name : {"1/a.bmp", "2/a.bmp", "3/a.bmp"}) put(name);
  EXPECT_EQ(find().classes, 0);
}

TEST_F(Folder, AFolderForEachClassGivesLabels) {
  for (const char* name : {"dog/1.bmp", "cat/x/2.bmp", "cat/1.bmp", "dog/y/3.bmp"}) put(name);
  const auto dataset = open();
  EXPECT_THAT(names(*dataset), ElementsAre("cat/1.bmp", "cat/x/2.bmp", "dog/1.bmp", "dog/y/3.bmp"));
  EXPECT_THAT(labels(*dataset), ElementsAre(0, 0, 1, 1));
  EXPECT_THAT(dataset->class_names(), ElementsAre("cat", "dog"));
}

TEST_F(Folder, UnlabelledImagesOfATestFolderAreItsOwn) {
  put("train", 3);
  put("test", 2);
  EXPECT_EQ(find(Split::test).classes, 0);
  EXPECT_EQ(find(Split::train).size, 3);
  EXPECT_EQ(find(Split::test).size, 2);
}

TEST_F(Folder, UnlabelledImagesWithoutATestFolderHaveNoTestSplit) {
  put("a.bmp");
  EXPECT_THAT(failure(Split::test), HasSubstr("has no test images"));
  EXPECT_EQ(find(Split::train).size, 1);
}

TEST_F(Folder, HoldsOutAnImageHoweverFewThereAre) {
  put("cat", 2);
  put("dog", 2);
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto count = [&](Split split) {
      return find_dataset({.name = "folder", .path = folder_.path(), .split = split, .seed = seed}).size;
    };
    EXPECT_GE(count(Split::test), 1);
    EXPECT_GE(count(Split::train), 1);
    EXPECT_EQ(count(Split::test) + count(Split::train), 4);
  }
}

TEST_F(Folder, ATrainFolderAloneHoldsTheClasses) {
  put("train/cat", 20);
  put("train/dog", 20);
  put(".hidden/x", 1);
  EXPECT_EQ(find().classes, 2);
  EXPECT_TRUE(find().separate_labels);
  EXPECT_EQ(find(Split::train).size + find(Split::test).size, 40);
  put("other", 2);  // then it is a folder like others
  EXPECT_EQ(find().classes, 2);
  EXPECT_EQ(find().open()->class_names(), (std::vector<std::string>{"other", "train"}));
}

TEST_F(Folder, TheNamesOfTheSplitsMayHaveCapitals) {
  put("Train/cat", 2);
  put("Train/dog", 2);
  put("TEST/dog", 3);
  EXPECT_EQ(find().size, 4);
  EXPECT_EQ(find(Split::test).size, 3);
  EXPECT_EQ(find(Split::test).classes, 2);
}

TEST_F(Folder, AnImageBesideTheClassesIsNamedAsWhatCostsTheLabels) {
  put("cat", 3);
  put("dog", 3);
  put("cover.bmp");
  EXPECT_EQ(find().classes, 0);
  EXPECT_THAT(find().note, HasSubstr("cover.bmp lies in no class folder, so no labels"));
}

TEST_F(Folder, ANameWithALineBreakStaysOneLineOfAnError) {
  spit(folder_ / "two\nlines.bmp", "no image");
  const auto dataset = open();
  Image scratch;
  EXPECT_THAT(message_of<BadImage>([&] { dataset->image(0, scratch); }), HasSubstr("two\\nlines.bmp"));
}

TEST_F(Folder, WithoutATestFolderATenthIsHeldOutFromTheLabels) {
  put("cat", 300);
  put("dog", 300);
  const auto all = names(*open(Split::pretraining));
  const auto train = names(*open(Split::train));
  const auto test = names(*open(Split::test));
  EXPECT_TRUE(find().separate_labels);
  EXPECT_EQ(all.size(), 600U);
  EXPECT_GT(test.size(), 30U);
  EXPECT_LT(test.size(), 95U);
  std::vector<std::string> both(train);
  both.insert(both.end(), test.begin(), test.end());
  std::ranges::sort(both);
  EXPECT_EQ(both, all);
  put("cat/one_more.bmp");  // moves no other image
  const auto again = names(*open(Split::test));
  EXPECT_TRUE(std::ranges::includes(again, test));
}

TEST_F(Folder, TrainAndTestFoldersAreTheSplits) {
  put("train/dog", 2);
  put("train/cat", 2);
  put("val/dog", 1);
  put("elsewhere.bmp");
  EXPECT_FALSE(find().separate_labels);
  EXPECT_THAT(names(*open(Split::pretraining)), ElementsAre("cat/0.bmp", "cat/1.bmp", "dog/0.bmp", "dog/1.bmp"));
  EXPECT_THAT(labels(*open(Split::test)), ElementsAre(1));
  put("val/cow", 1);
  EXPECT_THAT(failure(Split::test), HasSubstr((folder_ / "val/cow/0.bmp").string() +
                                              ": lies in no folder of a class of the training images"));
}

TEST_F(Folder, LinksAreFollowedAndEachFolderIsVisitedOnce) {
  put("a/1.bmp");
  put("a/2.bmp");
  const TemporaryFolder elsewhere;
  spit(elsewhere / "3.bmp", bmp(1, 1, {0, 0, 0}));
  fs::create_directory_symlink(elsewhere.path(), folder_ / "b");
  fs::create_directory_symlink(folder_.path(), folder_ / "a/loop");
  fs::create_directory_symlink(folder_ / "a", folder_ / "c");
  fs::create_symlink("2.bmp", folder_ / "a/4.bmp");
  EXPECT_THAT(names(*open()), ElementsAre("a/1.bmp", "a/2.bmp", "a/4.bmp", "b/3.bmp"));
}

TEST_F(Folder, WhatOnlyLooksLikeAnImageIsBadWhenItIsRead) {
  put("a.bmp");
  spit(folder_ / "empty.bmp", "");
  spit(folder_ / "text.jpg", "no image");
  fs::create_directory(folder_ / "folder.png");
  fs::create_symlink("nowhere.bmp", folder_ / "link.bmp");
  fs::create_symlink("loop.bmp", folder_ / "loop.bmp");
  const auto dataset = open();
  EXPECT_THAT(names(*dataset), ElementsAre("a.bmp", "empty.bmp", "folder.png", "link.bmp", "loop.bmp", "text.jpg"));
  Image scratch;
  dataset->image(0, scratch);
  for (std::int64_t i = 1; i < dataset->size(); ++i) {
    EXPECT_THAT(message_of<BadImage>([&] { dataset->image(i, scratch); }),
                HasSubstr((folder_ / dataset->name(i)).string()));
  }
}

TEST_F(Folder, MaxImagesAreSpreadOverTheClasses) {
  put("cat", 40);
  put("dog", 20);
  const auto few = find(Split::pretraining, "folder", 6).open();
  EXPECT_THAT(labels(*few), ElementsAre(0, 0, 0, 0, 1, 1));
  EXPECT_EQ(find(Split::pretraining, "folder", 59).open()->size(), 59);
  EXPECT_EQ(find(Split::pretraining, "folder", 61).size, 60);
}

TEST_F(Folder, NoFolderAndNoImagesAreErrors) {
  spit(folder_ / "notes.txt", "x");
  EXPECT_THAT(failure(), HasSubstr("no images in " + folder_.path().string()));
  EXPECT_THAT(message_of<Error>([&] { find_dataset({.name = "folder", .path = folder_ / "absent"}); }),
              HasSubstr("there is no folder " + (folder_ / "absent").string()));
}

TEST_F(Folder, TinyImageNetIsReadAsItsZipIsLaidOut) {
  spit(folder_ / "tiny-imagenet-200/wnids.txt", "n02\nn01\n");
  put("tiny-imagenet-200/train/n01/images", 2);
  put("tiny-imagenet-200/train/n02/images", 1);
  put("tiny-imagenet-200/val/images", 3);
  spit(folder_ / "tiny-imagenet-200/val/val_annotations.txt", "1.bmp\tn01\t0\t0\t9\t9\n0.bmp\tn02\t0\t0\t9\t9\n");
  const auto train = open(Split::train, "tiny_imagenet");
  EXPECT_THAT(names(*train), ElementsAre("n01/images/0.bmp", "n01/images/1.bmp", "n02/images/0.bmp"));
  EXPECT_THAT(labels(*train), ElementsAre(1, 1, 0));
  const auto test = open(Split::test, "tiny_imagenet");
  EXPECT_THAT(names(*test), ElementsAre("1.bmp", "0.bmp"));
  EXPECT_THAT(labels(*test), ElementsAre(1, 0));
  Image scratch;
  EXPECT_EQ(test->image(0, scratch).width, 2);
  spit(folder_ / "tiny-imagenet-200/val/val_annotations.txt", "0.bmp\tn77\n");
  EXPECT_THAT(failure(Split::test, "tiny_imagenet"), HasSubstr("'n77', which wnids.txt does not name"));
}

TEST_F(Folder, Food101IsReadByItsLists) {
  spit(folder_ / "food-101/meta/classes.txt", "apple_pie\nwaffles\n");
  spit(folder_ / "food-101/meta/train.txt", "waffles/7\napple_pie/1\n");
  spit(folder_ / "food-101/meta/test.txt", "waffles/8\n");
  put("food-101/images/waffles", 2);
  const auto train = open(Split::pretraining, "food101");
  EXPECT_THAT(names(*train), ElementsAre("waffles/7.jpg", "apple_pie/1.jpg"));
  EXPECT_THAT(labels(*train), ElementsAre(1, 0));
  EXPECT_THAT(labels(*open(Split::test, "food101")), ElementsAre(1));
  spit(folder_ / "food-101/meta/test.txt", "wafles/8\n");
  EXPECT_THAT(failure(Split::test, "food101"), HasSubstr("'wafles', which classes.txt does not name"));
}

TEST_F(Folder, ImageNetIsTwoFoldersOfClassFolders) {
  put("imagenet1k/train/n01", 2);
  put("imagenet1k/train/n02", 2);
  put("imagenet1k/val/n02", 1);
  EXPECT_THAT(labels(*open(Split::pretraining, "imagenet1k")), ElementsAre(0, 0, 1, 1));
  EXPECT_THAT(labels(*open(Split::test, "imagenet1k")), ElementsAre(1));
  put("imagenet1k/val/ILSVRC2012_val_00000001.bmp");
  EXPECT_THAT(failure(Split::test, "imagenet1k"),
              HasSubstr("lies in no folder of a class of the training images (n01, …)"));
}

TEST_F(Folder, WhatIsAbsentIsToldWithWhereItCanBeHad) {
  EXPECT_THAT(failure(Split::train, "tiny_imagenet"), HasSubstr("tiny-imagenet-200.zip"));
  EXPECT_THAT(failure(Split::train, "food101"), HasSubstr("food-101.tar.gz"));
  EXPECT_THAT(failure(Split::train, "imagenet1k"), HasSubstr("cannot be downloaded freely"));
}

}  // namespace
}  // namespace relic
