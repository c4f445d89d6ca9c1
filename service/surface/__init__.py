"""What holds for every address alike: versions, ids, deadlines, validators, pages, requests that are sent again."""
