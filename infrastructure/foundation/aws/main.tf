# What has to be there before the first deployment: the bucket for Terraform's state, and the one for the packages. It is
# applied once by hand for each environment, in a workspace of its own, with a small state on the operator's machine; both may be
# imported anew at any time.

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account]
}

locals {
  buckets = {
    state    = "salesync-state-${var.account}"
    packages = "salesync-packages-${var.account}"
  }
}

resource "aws_s3_bucket" "bucket" {
  for_each = local.buckets
  bucket   = each.value
}

resource "aws_s3_bucket_versioning" "bucket" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.bucket[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "bucket" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.bucket[each.key].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
    }
    bucket_key_enabled = true
  }
}

resource "aws_s3_bucket_public_access_block" "bucket" {
  for_each                = local.buckets
  bucket                  = aws_s3_bucket.bucket[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "bucket" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.bucket[each.key].id

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}
    noncurrent_version_expiration {
      newer_noncurrent_versions = 50
      noncurrent_days           = 30
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}
