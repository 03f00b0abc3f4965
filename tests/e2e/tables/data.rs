//! What stands in the tables: made up, but of the kind that organisations keep, with rows that differ in one cell.

use super::files::{Format, Table};

/// A file with its tables.
pub struct TableFile {
    /// Without its extension.
    pub name: &'static str,
    pub format: Format,
    pub tables: Vec<Table>,
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.iter().map(|&cell| cell.to_owned()).collect()
}

fn table<const N: usize>(title: &'static str, header: [&str; N], body: Vec<[String; N]>) -> Table {
    let mut rows = vec![row(header)];
    rows.extend(body.into_iter().map(Vec::from));
    Table { title, rows }
}

pub fn files() -> Vec<TableFile> {
    let file = |name, format, tables| TableFile { name, format, tables };
    vec![
        file("2026年仪表价格表", Format::Spreadsheet, vec![pressure_gauges(), temperature_sensors()]),
        file("培训课程安排", Format::Spreadsheet, vec![courses()]),
        file("员工通讯录", Format::Word, vec![colleagues()]),
        file("差旅住宿标准", Format::Word, vec![lodging()]),
        file("螺杆空压机技术参数", Format::PdfRuled, vec![compressors()]),
        file("备件库存台账", Format::PdfUnruled, vec![stock()]),
        file("Spare parts price list", Format::Spreadsheet, vec![spare_parts()]),
        file("Department budget 2026", Format::Word, vec![budget()]),
        file("Chemical storage limits", Format::PdfRuled, vec![chemicals()]),
        file("Shuttle timetable", Format::PdfUnruled, vec![shuttle()]),
    ]
}

fn pressure_gauges() -> Table {
    let ranges =
        [("0~0.6 MPa", 0), ("0~1.0 MPa", 40), ("0~1.6 MPa", 60), ("0~2.5 MPa", 95), ("0~10 MPa", 180)];
    let outputs = [("4~20 mA", 0), ("0~10 V", 35), ("RS485", 160)];
    let models = [
        ("PT-210", "压力变送器", "0.5级", 680),
        ("PT-230", "防爆压力变送器", "0.5级", 1_240),
        ("PT-260", "卫生型压力变送器", "0.25级", 1_560),
        ("DP-310", "差压变送器", "0.2级", 2_150),
    ];
    let mut body = Vec::new();
    for (model, name, class, price) in models {
        for (range, more) in ranges {
            for (output, extra) in outputs {
                let delivery = if output == "RS485" { "15天" } else { "7天" };
                body.push(
                    [model, name, range, class, output, &(price + more + extra).to_string(), delivery]
                        .map(str::to_owned),
                );
            }
        }
    }
    table("压力仪表", ["型号", "名称", "量程", "精度", "输出信号", "单价(元)", "交货期"], body)
}

fn temperature_sensors() -> Table {
    let elements = [
        ("WZP-130", "铂热电阻", "Pt100", 190),
        ("WRN-230", "K型热电偶", "镍铬-镍硅", 260),
        ("WRE-430", "E型热电偶", "镍铬-康铜", 275),
        ("WRP-630", "S型热电偶", "铂铑10-铂", 1_980),
    ];
    let lengths = [("100 mm", 0), ("150 mm", 15), ("300 mm", 40), ("500 mm", 85)];
    let mounts = [("螺纹M27×2", 0), ("法兰DN25", 120), ("卡套", 30)];
    let mut body = Vec::new();
    for (model, name, element, price) in elements {
        for (length, more) in lengths {
            for (mount, extra) in mounts {
                body.push(
                    [model, name, element, length, mount, &(price + more + extra).to_string()]
                        .map(str::to_owned),
                );
            }
        }
    }
    table("温度仪表", ["型号", "名称", "测温元件", "插入深度", "安装方式", "单价(元)"], body)
}

fn courses() -> Table {
    let names = [
        ("消防安全", "赵立新"),
        ("叉车操作", "孙国强"),
        ("电工基础", "钱进"),
        ("新员工入职", "周敏"),
        ("质量体系内审员", "吴桐"),
        ("Excel数据分析", "郑爽"),
        ("商务英语", "王海燕"),
        ("项目管理", "冯博"),
        ("急救与心肺复苏", "陈静"),
        ("有限空间作业", "褚建国"),
        ("保密教育", "卫东"),
        ("班组长管理", "蒋丽"),
    ];
    let months = ["3月", "6月", "9月", "11月"];
    let rooms = ["一号楼报告厅", "培训中心201", "培训中心305", "实训车间"];
    let mut body = Vec::new();
    for (at, (name, teacher)) in names.iter().enumerate() {
        for (turn, month) in months.iter().enumerate() {
            let day = 3 + (at * 5 + turn * 7) % 24;
            let hours = if (at + turn) % 2 == 0 { "9:00-12:00" } else { "13:30-16:30" };
            body.push([
                format!("TR{:03}", at * 4 + turn + 1),
                (*name).to_owned(),
                (*teacher).to_owned(),
                format!("{month}{day}日"),
                hours.to_owned(),
                rooms[(at + turn) % rooms.len()].to_owned(),
                (20 + (at * 3 + turn * 5) % 30).to_string(),
            ]);
        }
    }
    table("2026年培训课程", ["课程编号", "课程名称", "讲师", "日期", "时间", "地点", "名额"], body)
}

fn colleagues() -> Table {
    let surnames = ["李", "王", "张", "刘", "陈", "杨", "黄", "赵", "周", "吴", "徐", "孙", "马", "朱"];
    let given = ["伟", "芳", "娜", "敏", "静", "磊"];
    let departments = [
        ("财务部", "会计"),
        ("采购部", "采购员"),
        ("人力资源部", "招聘专员"),
        ("信息中心", "网络工程师"),
        ("销售一部", "销售代表"),
        ("质量部", "检验员"),
        ("设备部", "维修技师"),
    ];
    let mut body = Vec::new();
    for (at, surname) in surnames.iter().enumerate() {
        for (turn, name) in given.iter().enumerate() {
            let number = at * given.len() + turn;
            let (department, position) = departments[(at + turn * 2) % departments.len()];
            let position = if turn == 0 { format!("{department}经理") } else { position.to_owned() };
            body.push([
                format!("E{:04}", 1_001 + number),
                format!("{surname}{name}"),
                department.to_owned(),
                position,
                format!("{}号楼{}0{}室", 1 + at % 4, 2 + turn, 1 + number % 8),
                (8_000 + number * 13 % 997).to_string(),
            ]);
        }
    }
    table("内部通讯录", ["工号", "姓名", "部门", "职务", "办公室", "分机"], body)
}

fn lodging() -> Table {
    let cities = [
        ("北京", 650),
        ("上海", 600),
        ("广州", 550),
        ("深圳", 550),
        ("杭州", 500),
        ("成都", 460),
        ("西安", 430),
        ("武汉", 430),
        ("南京", 480),
        ("青岛", 420),
        ("大连", 410),
        ("厦门", 450),
        ("三亚", 480),
        ("哈尔滨", 380),
        ("昆明", 400),
        ("拉萨", 420),
        ("乌鲁木齐", 410),
        ("长沙", 400),
    ];
    let levels = [("公司领导", 350, 180), ("部门负责人", 120, 120), ("其他员工", 0, 100)];
    let mut body = Vec::new();
    for (at, (city, base)) in cities.iter().enumerate() {
        for (level, more, meals) in levels {
            let season = ["7-9月", "10-4月", "全年无旺季", "5-8月"][at % 4];
            let peak = if at % 4 == 2 { "—".to_owned() } else { (base + more + 80 + at * 5).to_string() };
            body.push([
                (*city).to_owned(),
                level.to_owned(),
                (base + more).to_string(),
                meals.to_string(),
                season.to_owned(),
                peak,
            ]);
        }
    }
    table(
        "住宿费限额",
        ["目的地", "人员级别", "住宿限额(元/天)", "伙食补助(元/天)", "旺季", "旺季限额(元/天)"],
        body,
    )
}

fn compressors() -> Table {
    let powers = [
        (7.5, 1.2),
        (11.0, 1.7),
        (15.0, 2.4),
        (22.0, 3.6),
        (37.0, 6.2),
        (55.0, 9.8),
        (75.0, 13.4),
        (90.0, 16.2),
        (110.0, 20.1),
        (132.0, 24.0),
        (160.0, 28.5),
    ];
    let pressures = [("0.7", 1.0), ("0.8", 0.93), ("1.0", 0.82), ("1.25", 0.7)];
    let mut body = Vec::new();
    for (at, (power, flow)) in powers.iter().enumerate() {
        for (pressure, share) in pressures {
            body.push([
                format!("LG-{power}"),
                power.to_string(),
                pressure.to_owned(),
                format!("{:.2}", flow * share),
                (62 + at * 2).to_string(),
                (230 + at * at * 31).to_string(),
                ["G3/4", "G1", "G1 1/2", "DN50", "DN80"][at / 3 % 5].to_owned(),
            ]);
        }
    }
    table(
        "LG系列螺杆空压机",
        ["机型", "电机功率(kW)", "排气压力(MPa)", "排气量(m³/min)", "噪声dB(A)", "重量(kg)", "接口"],
        body,
    )
}

fn stock() -> Table {
    let parts = [
        "深沟球轴承6204",
        "深沟球轴承6205",
        "深沟球轴承6305",
        "圆锥滚子轴承30206",
        "骨架油封35×52×7",
        "骨架油封40×62×8",
        "O型圈50×3.5",
        "三角带B1600",
        "三角带B1750",
        "同步带HTD-8M",
        "液压油滤芯HF-25",
        "空气滤芯AF-40",
        "电磁阀4V210",
        "接近开关E2B",
        "光电开关E3F",
        "交流接触器CJX2-1810",
        "交流接触器CJX2-3210",
        "热继电器NR2-25",
        "变频器风扇FV-12",
        "急停按钮LAY37",
    ];
    let stores = ["一号库", "二号库", "机修车间", "东区仓库"];
    let mut body = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        for (turn, store) in stores.iter().enumerate().take(2 + at % 3) {
            let amount = (at * 17 + turn * 29) % 120;
            body.push([
                format!("BJ{:05}", 20_110 + at * 10 + turn),
                (*part).to_owned(),
                (*store).to_owned(),
                format!("{}-{:02}-{}", ["A", "B", "C"][at % 3], 1 + at, 1 + turn),
                amount.to_string(),
                (10 + at % 5 * 5).to_string(),
            ]);
        }
    }
    table("备件库存", ["物料编码", "品名规格", "仓库", "货位", "现存量", "安全库存"], body)
}

fn spare_parts() -> Table {
    let parts = [
        ("Shaft seal", 38.0),
        ("Impeller", 112.0),
        ("Bearing kit", 76.5),
        ("Gasket set", 14.2),
        ("Coupling sleeve", 21.9),
        ("Wear ring", 33.0),
        ("Filter cartridge", 18.4),
        ("Control board", 245.0),
    ];
    let models = ["LT-240", "LT-480", "LT-720"];
    let materials = [("EPDM", 1.0), ("Viton", 1.35), ("stainless steel", 1.8), ("bronze", 1.55)];
    let mut body = Vec::new();
    for (at, (part, price)) in parts.iter().enumerate() {
        for (model, factor) in models.iter().zip([1.0, 1.25, 1.6]) {
            for (material, more) in materials.iter().skip(at % 2 * 2).take(2) {
                body.push([
                    format!("SP-{}", 40_100 + body.len() * 7),
                    (*part).to_owned(),
                    (*model).to_owned(),
                    (*material).to_owned(),
                    (1 + at % 3).to_string(),
                    format!("{:.2}", price * factor * more),
                    format!("{} days", 3 + (at * 4 + body.len()) % 20),
                ]);
            }
        }
    }
    table(
        "Spare parts 2026",
        ["Part no.", "Description", "Fits model", "Material", "Pack size", "Unit price (EUR)", "Lead time"],
        body,
    )
}

fn budget() -> Table {
    let departments = [
        ("1100", "Finance", "H. Brandt"),
        ("1200", "Human Resources", "M. Okafor"),
        ("1300", "Information Technology", "S. Lindqvist"),
        ("2100", "Production", "P. Novak"),
        ("2200", "Maintenance", "J. Ferreira"),
        ("3100", "Sales Europe", "C. Moreau"),
        ("3200", "Sales Asia", "L. Tan"),
        ("4100", "Research", "A. Haddad"),
        ("4200", "Quality Assurance", "E. Kowalski"),
    ];
    let items = [
        ("Salaries", 420),
        ("Training", 12),
        ("Travel", 25),
        ("Software licences", 40),
        ("External consultants", 60),
        ("Equipment", 85),
        ("Office supplies", 4),
    ];
    let mut body = Vec::new();
    for (at, (centre, department, head)) in departments.iter().enumerate() {
        for (number, (item, base)) in items.iter().enumerate() {
            let first = base + at * 7 + number * 3;
            body.push([
                (*centre).to_owned(),
                (*department).to_owned(),
                (*item).to_owned(),
                first.to_string(),
                (first + at).to_string(),
                (first + number).to_string(),
                (4 * first + at + number).to_string(),
                (*head).to_owned(),
            ]);
        }
    }
    table(
        "Budget 2026 (thousand EUR)",
        ["Cost centre", "Department", "Item", "Q1", "Q2", "Q3", "Year", "Responsible"],
        body,
    )
}

fn chemicals() -> Table {
    let names = [
        ("Acetone", "67-64-1", "flammable liquid"),
        ("Ethanol", "64-17-5", "flammable liquid"),
        ("Isopropanol", "67-63-0", "flammable liquid"),
        ("Toluene", "108-88-3", "flammable liquid"),
        ("Sodium hydroxide", "1310-73-2", "corrosive"),
        ("Sulfuric acid", "7664-93-9", "corrosive"),
        ("Hydrochloric acid", "7647-01-0", "corrosive"),
        ("Nitric acid", "7697-37-2", "oxidising"),
        ("Hydrogen peroxide", "7722-84-1", "oxidising"),
        ("Ammonia solution", "1336-21-6", "corrosive"),
        ("Methanol", "67-56-1", "toxic"),
        ("Chloroform", "67-66-3", "toxic"),
    ];
    let rooms = ["Lab 1", "Lab 4", "Outdoor store", "Basement B2"];
    let mut body = Vec::new();
    for (at, (name, number, class)) in names.iter().enumerate() {
        for (turn, room) in rooms.iter().enumerate() {
            body.push([
                (*name).to_owned(),
                (*number).to_owned(),
                (*class).to_owned(),
                (*room).to_owned(),
                ((1 + turn * turn * 4) * (2 + at % 4)).to_string(),
                ["15-25 °C", "below 30 °C", "2-8 °C"][at % 3].to_owned(),
                format!("C{}{}", 1 + at / 3, ["a", "b", "c", "d"][turn]),
            ]);
        }
    }
    table(
        "Storage limits",
        ["Substance", "CAS no.", "Hazard", "Room", "Limit (litres)", "Temperature", "Cabinet"],
        body,
    )
}

fn shuttle() -> Table {
    let stops = [
        "Main gate",
        "North car park",
        "Railway station",
        "Canteen",
        "Test hall",
        "Harbour office",
        "Training centre",
        "Hospital",
    ];
    let mut body = Vec::new();
    for (line, first) in [("Line 1", 6), ("Line 2", 7), ("Line 5", 9), ("Night line", 20)] {
        for turn in 0..2 {
            for (at, stop) in stops.iter().enumerate() {
                body.push([
                    line.to_owned(),
                    (*stop).to_owned(),
                    format!("{}:{:02}", first + turn * 2 + at / 6, (at * 9 + turn * 4) % 60),
                    ["Mon-Fri", "Sat-Sun"][turn].to_owned(),
                    format!("Bay {}", 1 + (at * 3 + turn) % 7),
                    ["Kruger", "Osei", "Lindholm"][(at + first) % 3].to_owned(),
                ]);
            }
        }
    }
    table("Company shuttle", ["Route", "Stop", "Departure", "Days", "Bay", "Driver"], body)
}
