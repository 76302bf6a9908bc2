# The containers of logins. What is in them is added by hand and never comes near Terraform, its variables or its state.

resource "aws_secretsmanager_secret" "login" {
  for_each                = local.secrets
  name                    = "salesync/${var.tenant}/${each.value}"
  description             = "salesync ${var.tenant}: the login of ${each.value}, a JSON document"
  recovery_window_in_days = 30
}
